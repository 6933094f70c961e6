package audit

import "strings"

// refundedKey is the request key of the transfer that a refund t gives back. One that an
// earlier release posted may have no subject.
//
//mutant:replace WHEN t.subject_kind = 'payment' THEN => WHEN t.id = 0 THEN ./internal/ledger TestRefundsAreOfTheirPayment
//mutant:replace ':end', ':accept' => ':end', ':end' ./internal/ledger TestRefundsAreOfTheirPayment
const refundedKey = `CASE WHEN t.subject_kind = 'payment' THEN 'payment:' || CAST(t.subject_id AS VARCHAR) || ':accept'
	ELSE REPLACE(t.request_key, ':end', ':accept') END`

// wrongSums compares the sums of wallets with their entries. A wallet that is not counted
// has none. One query for two rules: the sums of the whole life (0), and what was spent on
// the last day on which something was, and in its month (1).
//
// Money that a refund gives back was spent on the day of its payment, and is no credit.
// spent_at is the time of the debit, day its day in Bishkek.
//
//mutant:replace a.moves <> COALESCE(m.moves, 0) OR => TestSumsOfWallets
//mutant:replace a.count_in <> COALESCE(m.count_in, 0) OR => TestSumsOfWallets
//mutant:replace a.count_out <> COALESCE(m.count_out, 0) OR => TestSumsOfWallets
//mutant:replace OR a.sum_out <> COALESCE(m.sum_out, 0) THEN => THEN TestSumsOfWallets
//mutant:replace a.spent_on <> COALESCE(m.last, 0) OR => TestSumsOfWallets
//mutant:replace a.spent_day <> COALESCE(m.spent_day, 0) OR => TestSumsOfWallets
//mutant:replace OR a.spent_month <> COALESCE(m.spent_month, 0) THEN => THEN TestSumsOfWallets
const wrongSums = `
SELECT ` + namedAccount + `, NULL, a.rule
FROM (SELECT a.*, CASE WHEN a.moves <> COALESCE(m.moves, 0) OR a.count_in <> COALESCE(m.count_in, 0) OR a.count_out <> COALESCE(m.count_out, 0) OR
		a.count_in IS NULL OR a.count_out IS NULL OR a.sum_out IS NULL OR a.sum_out <> COALESCE(m.sum_out, 0) THEN 0
	WHEN a.spent_on IS NULL OR a.spent_day IS NULL OR a.spent_month IS NULL OR a.spent_on <> COALESCE(m.last, 0) OR
		a.spent_day <> COALESCE(m.spent_day, 0) OR a.spent_month <> COALESCE(m.spent_month, 0) THEN 1 END AS rule
	FROM accounts a LEFT JOIN (
		SELECT id, COUNT(*) AS moves, SUM(CASE WHEN amount > 0 AND NOT refund THEN 1 ELSE 0 END) AS count_in,
			SUM(CASE WHEN amount < 0 THEN 1 ELSE 0 END) AS count_out, -SUM(CASE WHEN amount < 0 OR refund THEN amount ELSE 0 END) AS sum_out,
			MAX(CASE WHEN amount < 0 THEN day END) AS last, -SUM(CASE WHEN day = spent_on THEN amount ELSE 0 END) AS spent_day,
			-SUM(CASE WHEN day / 100 = spent_on / 100 THEN amount ELSE 0 END) AS spent_month
		FROM (SELECT id, spent_on, amount, refund, CASE WHEN spent_at IS NOT NULL THEN dayInBishkek(spent_at) END AS day
			FROM (SELECT w.id, w.spent_on, e.amount, t.act = 'payment.refund' AND e.amount > 0 AS refund,
				CASE WHEN t.act IN ('payment.accept', 'wallet.transfer') AND e.amount < 0 THEN t.posted_at
					WHEN t.act = 'payment.refund' AND e.amount > 0 THEN (SELECT o.posted_at FROM transfers o
						WHERE o.act = 'payment.accept' AND o.request_key = ` + refundedKey + `) END AS spent_at
				FROM accounts w JOIN entries e ON e.account_id = w.id LEFT JOIN transfers t ON t.id = e.transfer_id
				WHERE w.kind = 'wallet' AND w.moves IS NOT NULL{moved w}) e) e
		GROUP BY id) m ON m.id = a.id
	WHERE a.kind = 'wallet' AND a.moves IS NOT NULL{moved a}) a
WHERE a.rule IS NOT NULL`

// {moved x} narrows the account x to those that moved.
var (
	allWrongSums   = strings.NewReplacer("{moved w}", "", "{moved a}", "").Replace(wrongSums)
	movedWrongSums = strings.NewReplacer("{moved w}", " AND w.id IN (SELECT account_id FROM moved)", "{moved a}", " AND a.id IN (SELECT account_id FROM moved)").Replace(wrongSums)
)
