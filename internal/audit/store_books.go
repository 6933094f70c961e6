package audit

// Each query returns (what, have, want) of violations.

// namedTransfer is a transfer's id and, if the transfer exists, its key.
const namedTransfer = `CAST(s.transfer_id AS VARCHAR) || COALESCE(' (' || t.request_key || ')', '')`

//mutant:replace 0 => 0 AND 1 = 0 TestViolationsAreFound/an_entry's_amount_is_changed
const unbalancedTransfers = `
SELECT ` + namedTransfer + `, s.total, NULL
FROM (SELECT transfer_id, CAST(SUM(amount) AS BIGINT) AS total FROM entries GROUP BY transfer_id HAVING SUM(amount) <> 0) s
LEFT JOIN transfers t ON t.id = s.transfer_id`

const unbalancedWhole = `
SELECT what, have, NULL FROM (
	SELECT 'entries' AS what, CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS have FROM entries
	UNION ALL
	SELECT 'balances' AS what, CAST(COALESCE(SUM(balance), 0) AS BIGINT) AS have FROM balances
) s WHERE have <> 0`

const shortTransfers = `
SELECT CAST(t.id AS VARCHAR) || ' (' || t.request_key || ')', COUNT(e.transfer_id), NULL
FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id
GROUP BY t.id, t.request_key HAVING COUNT(e.transfer_id) < 2`

const entriesWithoutAccount = `
SELECT CAST(e.account_id AS VARCHAR), COUNT(*), NULL
FROM entries e WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = e.account_id) GROUP BY e.account_id`

const otherCurrencies = `SELECT CAST(id AS VARCHAR), NULL, NULL FROM accounts WHERE currency <> 'KGS'`

// namedAccount is an account's id, type and subject.
const namedAccount = `CAST(a.id AS VARCHAR) || ' (' || a.kind || ' ' || a.subject || ')'`

//mutant:replace > COALESCE(s.total, 0) => > a.balance TestViolationsAreFound/money_moves_from_wallet_to_wallet_without_a_transfer
const wrongBalances = `
SELECT ` + namedAccount + `, a.balance, COALESCE(s.total, 0)
FROM balances a
LEFT JOIN (SELECT account_id, CAST(SUM(amount) AS BIGINT) AS total FROM entries GROUP BY account_id) s ON s.account_id = a.id
WHERE a.balance <> COALESCE(s.total, 0)`

const belowFloor = `
SELECT ` + namedAccount + `, a.balance, COALESCE(a.floor, 0) FROM balances a
WHERE a.balance < a.floor OR (a.kind = 'wallet' AND a.balance < 0)`

// The balance of an account with a floor is in one row, which its CHECK and its
// locks refer to.
//
//mutant:replace floor IS NOT NULL => floor > 0 TestViolationsAreFound
const stripesOfFlooredAccounts = `
SELECT CAST(stripes.account_id AS VARCHAR), COUNT(*), NULL
FROM stripes WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.id = stripes.account_id AND a.floor IS NOT NULL) GROUP BY stripes.account_id`

const walletsWithoutFloor = `
SELECT CAST(id AS VARCHAR), NULL, NULL FROM accounts WHERE kind = 'wallet' AND (floor IS NULL OR floor < 0)`

// repeatedKeys doesn't read the unique index, which may have been taken away for a while.
//
//mutant:replace transfers NOT INDEXED => transfers TestIndexThatHidesRows
const repeatedKeys = `
SELECT request_key, COUNT(*), NULL FROM transfers NOT INDEXED GROUP BY request_key HAVING COUNT(*) > 1`

const repeatedNewKeys = `
SELECT request_key, COUNT(*), NULL FROM transfers GROUP BY request_key HAVING COUNT(*) > 1`

const entriesWithoutTransfer = `
SELECT CAST(e.transfer_id AS VARCHAR), COUNT(*), NULL
FROM entries e WHERE NOT EXISTS (SELECT 1 FROM transfers t WHERE t.id = e.transfer_id) GROUP BY e.transfer_id`

// Lines are numbered from zero without gaps.
const missingLines = `
SELECT ` + namedTransfer + `, NULL, NULL
FROM (SELECT transfer_id FROM entries GROUP BY transfer_id HAVING COUNT(*) <> MAX(line) + 1) s
LEFT JOIN transfers t ON t.id = s.transfer_id`

const customersWithoutWallet = `
SELECT CAST(c.id AS VARCHAR), NULL, NULL
FROM customers c LEFT JOIN accounts a ON a.id = c.id AND a.kind = 'wallet' WHERE a.id IS NULL`

// By the entries: the CHECK of accounts refuses a closed one with a balance.
const closedWithMoney = `
SELECT CAST(c.id AS VARCHAR), c.total, NULL
FROM (SELECT a.id, a.balance, (SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM entries e WHERE e.account_id = a.id) AS total
	FROM accounts a WHERE a.closed_at IS NOT NULL) c
WHERE c.total <> 0 OR c.balance <> 0`

const closedWithTransfers = `
SELECT CAST(c.id AS VARCHAR), c.moves, NULL
FROM (SELECT a.id, (SELECT COUNT(*) FROM entries e WHERE e.account_id = a.id
		AND (SELECT t.posted_at FROM transfers t WHERE t.id = e.transfer_id) > a.closed_at) AS moves
	FROM accounts a WHERE a.closed_at IS NOT NULL) c
WHERE c.moves > 0`

const halfClosedWallets = `
SELECT CAST(c.id AS VARCHAR), NULL, NULL
FROM customers c JOIN accounts a ON a.id = c.id AND a.kind = 'wallet' WHERE (c.closed_at IS NULL) <> (a.closed_at IS NULL)`

const closedWithOpenPayments = `
SELECT CAST(c.id AS VARCHAR), COUNT(*), NULL
FROM payments p JOIN customers c ON c.id = p.customer_id
WHERE p.state = 'processing' AND c.closed_at IS NOT NULL GROUP BY c.id`

const agentsWithoutTill = `
SELECT g.code, NULL, NULL
FROM agents g LEFT JOIN accounts a ON a.id = g.till_id AND a.kind = 'till' AND a.subject = g.code AND a.floor = -g.ceiling
WHERE a.id IS NULL`
