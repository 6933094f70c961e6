package audit

import "strings"

// wrongDays compares the sums of histories with the entries up to their mark, day by day.
// A refund moves its payment from one kind to another on the payment's day, and is
// of kind refund on its own: the sums of a day's kinds are its entries. Kind end is the balance
// after the day.
//
//mutant:replace d.amount <> COALESCE(e.amount, 0) OR => TestDaysOfHistories
//mutant:replace OR d.day_end <> d.balance => TestDaysOfHistories
const wrongDays = `
SELECT ` + namedAccount + ` || ', day ' || CAST(d.day AS VARCHAR), d.amount, COALESCE(e.amount, 0)
FROM (SELECT account_id, day, amount, day_end, CAST(SUM(amount) OVER (PARTITION BY account_id ORDER BY day) AS BIGINT) AS balance
	FROM (SELECT account_id, day, CAST(SUM(CASE WHEN kind <> 'end' THEN amount ELSE 0 END) AS BIGINT) AS amount,
			MAX(CASE WHEN kind = 'end' THEN amount END) AS day_end
		FROM history_days WHERE 1 = 1{moved account_id} GROUP BY account_id, day) s) d
JOIN accounts a ON a.id = d.account_id
LEFT JOIN (SELECT account_id, day, CAST(SUM(amount) AS BIGINT) AS amount
	FROM (SELECT m.account_id, e.amount, dayInBishkek(posted_at) AS day
		FROM history_marks m JOIN entries e ON e.account_id = m.account_id AND e.transfer_id <= m.transfer_id
		JOIN transfers t ON t.id = e.transfer_id WHERE 1 = 1{moved m.account_id}) e GROUP BY account_id, day) e
	ON e.account_id = d.account_id AND e.day = d.day
WHERE d.amount <> COALESCE(e.amount, 0) OR d.day_end IS NULL OR d.day_end <> d.balance`

// wrongMarks compares the marks of histories with the entries up to them.
//
//mutant:replace OR m.entries <> COALESCE(e.entries, 0) => TestDaysOfHistories
//mutant:replace m.balance <> COALESCE(e.amount, 0) OR => TestDaysOfHistories
const wrongMarks = `
SELECT ` + namedAccount + `, m.balance, COALESCE(e.amount, 0)
FROM history_marks m JOIN accounts a ON a.id = m.account_id
LEFT JOIN (SELECT m.account_id, COUNT(*) AS entries, CAST(SUM(e.amount) AS BIGINT) AS amount
	FROM history_marks m JOIN entries e ON e.account_id = m.account_id AND e.transfer_id <= m.transfer_id WHERE 1 = 1{moved m.account_id} GROUP BY m.account_id) e
	ON e.account_id = m.account_id
LEFT JOIN (SELECT account_id, CAST(SUM(amount) AS BIGINT) AS amount FROM history_days WHERE kind <> 'end'{moved account_id} GROUP BY account_id) d
	ON d.account_id = m.account_id
WHERE (m.balance <> COALESCE(e.amount, 0) OR m.balance <> COALESCE(d.amount, 0) OR m.entries <> COALESCE(e.entries, 0)){moved m.account_id}`

// {moved x} narrows the account x to those that moved.
func ofAll(query string) string {
	return strings.NewReplacer("{moved account_id}", "", "{moved m.account_id}", "").Replace(query)
}

func ofMoved(query string) string {
	const moved = " IN (SELECT account_id FROM moved)"
	return strings.NewReplacer("{moved account_id}", " AND account_id"+moved, "{moved m.account_id}", " AND m.account_id"+moved).Replace(query)
}

// historyChecks are the checks of the sums of histories.
var historyChecks = []check{
	{
		query: ofAll(wrongMarks), rules: one(sumOfEntries, "every history's mark is that of the entries", wrongMark),
		since: &check{query: ofMoved(wrongMarks), narrow: "moved", rules: one(sumOfEntries, "every history's mark is that of the entries, of wallets that moved", wrongMark)},
	},
	{
		query: ofAll(wrongDays), rules: one(sumOfEntries, "every history's days are their entries", wrongDay),
		since: &check{query: ofMoved(wrongDays), narrow: "moved", rules: one(sumOfEntries, "every history's days are their entries, of wallets that moved", wrongDay)},
	},
}

const (
	wrongMark = "the history of account {what} has {have} up to its mark, its entries sum to {want}"
	wrongDay  = "the history of account {what}: {have}, the entries sum to {want}"
)
