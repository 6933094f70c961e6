package audit

const wantedSettlements = `
WITH w AS MATERIALIZED (SELECT CAST(` + settleKey + ` AS VARCHAR) AS request_key, CAST('settle.' || m.kind AS VARCHAR) AS act,
	'settlement' AS subject_kind, m.id FROM settlements m)`

const settlementsWithoutTransfer = wantedSettlements + `
SELECT w.request_key, NULL, NULL
FROM w LEFT JOIN transfers t ON t.request_key = w.request_key AND t.act = w.act` + itsSubject + ` WHERE t.id IS NULL`

const transfersWithoutSettlement = wantedSettlements + `
SELECT CAST(t.id AS VARCHAR) || ' (' || t.request_key || ', ' || t.act || ')', NULL, NULL
FROM transfers t LEFT JOIN w ON w.request_key = t.request_key AND w.act = t.act` + itsSubject + `
WHERE w.request_key IS NULL AND (t.act IN ('settle.agent', 'settle.biller') OR t.subject_kind = 'settlement')`

// An agent's till goes up and the settlement account down, a biller's payable
// down and the settlement account up.
const wrongPostedSettlements = `
SELECT m.kind || ' ' || m.party || ' ' || m.reference, NULL, NULL
FROM settlements m JOIN transfers t ON t.request_key = ` + settleKey + `
LEFT JOIN accounts party ON party.subject = m.party AND party.kind = CASE m.kind WHEN 'agent' THEN 'till' ELSE 'payable' END
LEFT JOIN accounts bank ON bank.kind = 'bank' AND bank.subject = 'settlement'` + itsEntries + `
GROUP BY m.id, m.kind, m.party, m.reference HAVING COUNT(e.line) <> 2
	OR SUM(CASE WHEN e.account_id = party.id AND e.amount = CASE m.kind WHEN 'agent' THEN m.amount ELSE -m.amount END THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = bank.id AND e.amount = CASE m.kind WHEN 'agent' THEN -m.amount ELSE m.amount END THEN 1 ELSE 0 END) <> 1`

const overSettled = `
SELECT ` + namedAccount + `, a.balance, NULL FROM balances a
WHERE (a.kind = 'till' AND a.balance > 0) OR (a.kind = 'payable' AND a.balance < 0)`

const wrongNumbers = `
SELECT m.kind || ' ' || m.party, COUNT(*), NULL FROM settlements m
GROUP BY m.kind, m.party HAVING COUNT(*) <> MAX(m.number) OR MIN(m.number) <> 1`
