package audit

// The request keys of payments, cash-ins, transfers between wallets and
// settlements. They are written here again so that the proof does not depend on
// the code that it checks.
const (
	acceptKey         = `'payment:' || CAST(p.id AS VARCHAR) || ':accept'`
	endKey            = `'payment:' || CAST(p.id AS VARCHAR) || ':end'`
	cashInKey         = `'cashin:' || c.agent || ':' || c.txn_id`
	walletTransferKey = `'transfer:' || CAST(s.id AS VARCHAR)`
	settleKey         = `'settle:' || m.kind || ':' || m.party || ':' || m.reference`
)

// itsSubject is the join condition that the transfer t names the row w as its subject
// or names none, as transfers of an earlier release do.
//
//mutant:replace t.subject_id = w.id AND t.subject_kind = w.subject_kind => 1 = 1 TestViolationsAreFound/a_transfer_names_another_payment
//mutant:replace OR t.subject_id IS NULL AND t.subject_kind IS NULL => TestTransfersOfEarlierRelease
const itsSubject = ` AND (t.subject_id = w.id AND t.subject_kind = w.subject_kind OR t.subject_id IS NULL AND t.subject_kind IS NULL)`

// wantedPaymentTransfers are the transfers that payments must have. MATERIALIZED
// makes SQLite look up the keys in an automatic index. The CAST is needed because
// only a column with a type is indexed.
const wantedPaymentTransfers = `
WITH w AS MATERIALIZED (
	SELECT CAST(` + acceptKey + ` AS VARCHAR) AS request_key, 'payment.accept' AS act, 'payment' AS subject_kind, id FROM payments p
	UNION ALL
	SELECT CAST(` + endKey + ` AS VARCHAR) AS request_key, CASE p.state WHEN 'completed' THEN 'payment.settle' ELSE 'payment.refund' END AS act,
		'payment' AS subject_kind, id
	FROM payments p WHERE p.state <> 'processing'
)`

//mutant:replace AND t.act = w.act => TestViolationsAreFound/a_settled_payment_is_marked_refunded
const paymentsWithoutTransfer = wantedPaymentTransfers + `
SELECT w.act || ' ' || w.request_key, NULL, NULL
FROM w LEFT JOIN transfers t ON t.request_key = w.request_key AND t.act = w.act` + itsSubject + ` WHERE t.id IS NULL`

const transfersWithoutPayment = wantedPaymentTransfers + `
SELECT CAST(t.id AS VARCHAR) || ' (' || t.request_key || ', ' || t.act || ')', NULL, NULL
FROM transfers t LEFT JOIN w ON w.request_key = t.request_key AND t.act = w.act` + itsSubject + `
WHERE w.request_key IS NULL AND (t.act IN ('payment.accept', 'payment.settle', 'payment.refund') OR t.subject_kind = 'payment')`

// knownOps are all operations that post transfers.
//
//mutant:replace biller' => biller', 'wallet.gift' TestKnownOpsMatchPostings
const knownOps = `('payment.accept', 'payment.settle', 'payment.refund', 'cashin.pay_in', 'wallet.transfer', 'settle.agent', 'settle.biller')`

// The accounts that a payment moves through.
const (
	itsWallet  = ` LEFT JOIN accounts wallet ON wallet.id = p.customer_id AND wallet.kind = 'wallet'`
	itsTransit = ` LEFT JOIN accounts transit ON transit.kind = 'transit' AND transit.subject = p.biller`
	itsPayable = ` LEFT JOIN accounts payable ON payable.kind = 'payable' AND payable.subject = p.biller`
	itsFees    = ` LEFT JOIN accounts fees ON fees.kind = 'fees' AND fees.subject = p.biller`
	itsEntries = ` LEFT JOIN entries e ON e.transfer_id = t.id`
)

const wrongAcceptances = `
SELECT CAST(p.id AS VARCHAR), NULL, NULL
FROM payments p JOIN transfers t ON t.request_key = ` + acceptKey + itsWallet + itsTransit + itsEntries + `
GROUP BY p.id HAVING COUNT(e.line) <> 2
	OR SUM(CASE WHEN e.account_id = wallet.id AND e.amount = -(p.amount + p.fee) THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = transit.id AND e.amount = p.amount + p.fee THEN 1 ELSE 0 END) <> 1`

const wrongSettlements = `
SELECT CAST(p.id AS VARCHAR), NULL, NULL
FROM payments p JOIN transfers t ON t.request_key = ` + endKey + itsTransit + itsPayable + itsFees + itsEntries + `
WHERE p.state = 'completed'
GROUP BY p.id HAVING COUNT(e.line) <> MAX(CASE WHEN p.fee > 0 THEN 3 ELSE 2 END)
	OR SUM(CASE WHEN e.account_id = transit.id AND e.amount = -(p.amount + p.fee) THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = payable.id AND e.amount = p.amount THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = fees.id AND e.amount = p.fee THEN 1 ELSE 0 END) <> MAX(CASE WHEN p.fee > 0 THEN 1 ELSE 0 END)`

const wrongRefunds = `
SELECT CAST(p.id AS VARCHAR), NULL, NULL
FROM payments p JOIN transfers t ON t.request_key = ` + endKey + itsWallet + itsTransit + itsEntries + `
WHERE p.state = 'refunded'
GROUP BY p.id HAVING COUNT(e.line) <> 2
	OR SUM(CASE WHEN e.account_id = transit.id AND e.amount = -(p.amount + p.fee) THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = wallet.id AND e.amount = p.amount + p.fee THEN 1 ELSE 0 END) <> 1`

// A payment of this release is its own message. That of the previous release is found by
// its key, and its state compared afterwards. With the index of open messages, each payment
// would be compared with all open messages of its biller.
//
//mutant:replace p.due_at IS NULL AND => TestViolationsAreFound
//mutant:replace COALESCE(d.state, '') <> 'open' => d.state IS NULL TestViolationsAreFound/a_delivery_is_lost
const undelivered = `
SELECT CAST(p.id AS VARCHAR), NULL, NULL
FROM payments p
LEFT JOIN promises d ON d.lane = 'biller:' || p.biller AND d.key = CAST(p.id AS VARCHAR)
WHERE p.state = 'processing' AND p.due_at IS NULL AND COALESCE(d.state, '') <> 'open'`

// keyAsID is the key of a delivery as a number, by which the payment is looked up; NULL if
// it is none.
const keyAsID = `CASE WHEN TRIM(d.key, '0123456789') = '' AND (LENGTH(d.key) BETWEEN 1 AND 18
	OR LENGTH(d.key) = 19 AND d.key <= '9223372036854775807') THEN CAST(d.key AS BIGINT) END`

// Deliveries of the previous release of other billers' payments, and of none. Those that have ended cause no
// calls any more.
//
//mutant:replace OR d.lane <> 'biller:' || p.biller => TestViolationsAreFound/a_delivery_is_in_the_queue_of_another_biller
const misdirected = `
SELECT d.lane || ' ' || d.key, NULL, NULL
FROM promises d LEFT JOIN payments p ON p.id = ` + keyAsID + `
WHERE d.state = 'open' AND d.lane LIKE 'biller:%'
	AND (p.id IS NULL OR d.lane <> 'biller:' || p.biller OR d.key <> CAST(p.id AS VARCHAR))`

// The signatures of rows are read by their ids.
//
//mutant:replace id IS NULL => payment_id < 0 TestAttemptWithoutID
const attemptsWithoutID = `SELECT CAST(payment_id AS VARCHAR) || ', attempt ' || CAST(number AS VARCHAR), NULL, NULL FROM payment_attempts WHERE id IS NULL`

// Attempts are numbered from 1. Those of earlier releases have no biller; one that was not
// sent made no call.
//
//mutant:replace COUNT(*) <> MAX(a.number) OR MIN(a.number) <> 1 => 1 = 0 TestViolationsAreFound/an_attempt_is_erased
const missingAttempts = `
SELECT CAST(p.id AS VARCHAR), NULL, NULL
FROM payments p JOIN payment_attempts a ON a.payment_id = p.id
GROUP BY p.id HAVING COUNT(*) <> MAX(a.number) OR MIN(a.number) <> 1`

//mutant:replace a.biller <> p.biller => 1 = 0 TestViolationsAreFound/an_attempt_calls_another_biller
const wrongAttempts = `
SELECT CAST(a.payment_id AS VARCHAR), a.number, NULL
FROM payment_attempts a LEFT JOIN payments p ON p.id = a.payment_id
WHERE p.id IS NULL OR a.biller <> '' AND a.biller <> p.biller AND COALESCE(a.outcome, '') <> 'unsent'`

// What a refund's ground requires. 'refused': the biller refused, and every
// attempt of the payment has a final answer, so that none can be booked later.
// 'decided': see checkDecisions. 'stored' rests on a contract that is not in the
// database. An empty ground is from a release that stored none.
//
//mutant:replace unsent' => unsent', 'later' TestViolationsAreFound
const wrongGrounds = `
SELECT CAST(p.id AS VARCHAR), NULL, NULL
FROM payments p WHERE p.state = 'refunded' AND CASE p.refund_ground
	WHEN 'refused' THEN
		EXISTS (SELECT 1 FROM payment_attempts a WHERE a.payment_id = p.id AND COALESCE(a.outcome, 'unknown') NOT IN ('refused', 'unsent'))
		OR NOT EXISTS (SELECT 1 FROM payment_attempts a WHERE a.payment_id = p.id AND a.outcome = 'refused')
	ELSE p.refund_ground NOT IN ('decided', 'stored', '') END`

// A biller answers a second payment with the number of another by the outcome of the
// first. Drafts have a unique key, payments on PostgreSQL have none.
//
//mutant:replace COUNT(*) > 1 => COUNT(*) > 2 TestViolationsAreFound/two_payments_have_one_number
const repeatedNumbers = `
SELECT txn_id, COUNT(*), NULL FROM payments GROUP BY txn_id HAVING COUNT(*) > 1`

// Starts from the claims, which are few.
const wrongClaims = `
SELECT CAST(c.payment_id AS VARCHAR), NULL, NULL
FROM payment_claims c WHERE (SELECT p.state FROM payments p WHERE p.id = c.payment_id) <> 'refunded'`

const wrongEnds = `
SELECT CAST(p.id AS VARCHAR), COUNT(t.id), NULL
FROM payments p LEFT JOIN transfers t ON t.request_key = ` + endKey + `
GROUP BY p.id HAVING COUNT(t.id) <> MAX(CASE WHEN p.state = 'processing' THEN 0 ELSE 1 END)`

// knownStates are the states of payments; the column takes any text.
const knownStates = `('processing', 'completed', 'refunded')`

// One query for two rules: the end time (0) and the state (1).
//
//mutant:replace p.state NOT IN ` + knownStates + ` OR => TestViolationsAreFound/a_refunded_payment_gets_an_unknown_state
const inconsistentEnds = `
SELECT CAST(p.id AS VARCHAR), NULL, CASE WHEN p.state IN ` + knownStates + ` THEN 0 ELSE 1 END
FROM payments p WHERE p.state NOT IN ` + knownStates + ` OR (p.state = 'processing') = (p.ended_at IS NOT NULL)`

//mutant:replace COALESCE(a.balance, 0) <> COALESCE(o.total, 0) => 1 = 0 TestViolationsAreFound/a_payment_without_money
const wrongTransit = `
SELECT b.biller, COALESCE(a.balance, 0), COALESCE(o.total, 0)
FROM (SELECT subject AS biller FROM accounts WHERE kind = 'transit'
	UNION SELECT biller FROM payments WHERE state = 'processing') b
LEFT JOIN balances a ON a.kind = 'transit' AND a.subject = b.biller
LEFT JOIN (SELECT biller, CAST(SUM(amount + fee) AS BIGINT) AS total FROM payments WHERE state = 'processing' GROUP BY biller) o
	ON o.biller = b.biller
WHERE COALESCE(a.balance, 0) <> COALESCE(o.total, 0)`

// The signatures of rows are read by their ids.
//
//mutant:replace id IS NULL => payment_id < 0 TestDecisionWithoutID
const decisionsWithoutID = `SELECT CAST(payment_id AS VARCHAR), NULL, NULL FROM payment_decisions WHERE id IS NULL`

const wantedCashIns = `
WITH w AS MATERIALIZED (SELECT CAST(` + cashInKey + ` AS VARCHAR) AS request_key, 'cash_in' AS subject_kind, c.id FROM cash_ins c WHERE c.result = 0)`

//mutant:replace id IS NULL => id < 0 TestViolationsAreFound/a_refused_cash-in_is_marked_credited
const cashInsWithoutTransfer = wantedCashIns + `
SELECT w.request_key, NULL, NULL
FROM w LEFT JOIN transfers t ON t.request_key = w.request_key AND t.act = 'cashin.pay_in'` + itsSubject + ` WHERE t.id IS NULL`

const transfersWithoutCashIn = wantedCashIns + `
SELECT CAST(t.id AS VARCHAR) || ' (' || t.request_key || ', ' || t.act || ')', NULL, NULL
FROM transfers t LEFT JOIN w ON w.request_key = t.request_key AND t.act = 'cashin.pay_in'` + itsSubject + `
WHERE w.request_key IS NULL AND (t.act = 'cashin.pay_in' OR t.subject_kind = 'cash_in')`

const wrongCashIns = `
SELECT CAST(c.id AS VARCHAR), NULL, NULL
FROM cash_ins c JOIN transfers t ON t.request_key = ` + cashInKey + `
LEFT JOIN agents g ON g.code = c.agent
LEFT JOIN accounts wallet ON wallet.id = c.customer_id AND wallet.kind = 'wallet'` + itsEntries + `
WHERE c.result = 0
GROUP BY c.id HAVING COUNT(e.line) <> 2
	OR SUM(CASE WHEN e.account_id = g.till_id AND e.amount = -c.sum THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = wallet.id AND e.amount = c.sum THEN 1 ELSE 0 END) <> 1`

const wantedWalletTransfers = `
WITH w AS MATERIALIZED (SELECT CAST(` + walletTransferKey + ` AS VARCHAR) AS request_key, 'wallet_transfer' AS subject_kind, s.id FROM wallet_transfers s)`

const walletTransfersWithoutTransfer = wantedWalletTransfers + `
SELECT w.request_key, NULL, NULL
FROM w LEFT JOIN transfers t ON t.request_key = w.request_key AND t.act = 'wallet.transfer'` + itsSubject + ` WHERE t.id IS NULL`

// One query for two rules: the sender (0) and the operation (1).
//
//mutant:replace OR t.act NOT IN ` + knownOps + ` => TestViolationsAreFound/money_moves_by_an_unknown_operation
const transfersWithoutWalletTransfer = wantedWalletTransfers + `
SELECT CAST(t.id AS VARCHAR) || ' (' || t.request_key || ', ' || t.act || ')', NULL, CASE WHEN t.act IN ` + knownOps + ` THEN 0 ELSE 1 END
FROM transfers t LEFT JOIN w ON w.request_key = t.request_key AND t.act = 'wallet.transfer'` + itsSubject + `
WHERE w.request_key IS NULL AND (t.act = 'wallet.transfer' OR t.subject_kind = 'wallet_transfer' OR t.act NOT IN ` + knownOps + `)`

const wrongWalletTransfers = `
SELECT CAST(s.id AS VARCHAR), NULL, NULL
FROM wallet_transfers s JOIN transfers t ON t.request_key = ` + walletTransferKey + `
LEFT JOIN accounts sender ON sender.id = s.sender_id AND sender.kind = 'wallet'
LEFT JOIN accounts receiver ON receiver.id = s.receiver_id AND receiver.kind = 'wallet'` + itsEntries + `
GROUP BY s.id HAVING COUNT(e.line) <> 2
	OR SUM(CASE WHEN e.account_id = sender.id AND e.amount = -s.amount THEN 1 ELSE 0 END) <> 1
	OR SUM(CASE WHEN e.account_id = receiver.id AND e.amount = s.amount THEN 1 ELSE 0 END) <> 1`
