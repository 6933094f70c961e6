package audit_test

import (
	"fmt"
	"testing"
	"time"

	"elsom/internal/ledger"
)

// The sums of a history are compared with its entries, day by day.
func TestDaysOfHistories(t *testing.T) {
	sumUp := func(b *book) {
		day := ledger.DayOf(b.db.Now())
		b.exec(`INSERT INTO history_marks (account_id, transfer_id, balance, entries)
			SELECT account_id, MAX(transfer_id), SUM(amount), COUNT(*) FROM entries WHERE account_id = ? GROUP BY account_id`, aizada)
		for kind, amount := range map[string]int{"cashin": 1000_00, "payment": -355_00, "refunded": -51_00, "refund": 51_00, "end": 645_00} {
			b.exec("INSERT INTO history_days (account_id, day, kind, service, operations, amount) VALUES (?, ?, ?, '', 1, ?)", aizada, day, kind, amount)
		}
	}
	mark := func(have string) string {
		return "balance is its entries: the history of account 101 (wallet aizada) has " + have + " up to its mark, its entries sum to 645,00"
	}
	today := ledger.DayOf(time.Now())
	day := func(day int64, have, want string) string {
		return fmt.Sprintf("balance is its entries: the history of account 101 (wallet aizada), day %d: %s, the entries sum to %s", day, have, want)
	}
	wantFound(t, []violationCase{
		{"a mark has another balance", []string{"UPDATE history_marks SET balance = balance + 1"}, []string{mark("645,01")}},
		{"a mark has another number", []string{"UPDATE history_marks SET entries = entries + 1"}, []string{mark("645,00")}},
		{"a day has another sum", []string{"UPDATE history_days SET amount = amount + 1 WHERE kind = 'payment'"}, []string{mark("645,00"), day(today, "645,01", "645,00")}},
		{
			"a mark and its day have another balance",
			[]string{"UPDATE history_marks SET balance = balance + 1", "UPDATE history_days SET amount = amount + 1 WHERE kind IN ('payment', 'end')"},
			[]string{mark("645,01"), day(today, "645,01", "645,00")},
		},
		{"a day has another balance", []string{"UPDATE history_days SET amount = amount + 1 WHERE kind = 'end'"}, []string{day(today, "645,00", "645,00")}},
		{
			"a refund is on another day", []string{"UPDATE history_days SET day = day - 1 WHERE kind = 'refund'"},
			[]string{day(today-1, "51,00", "0,00"), day(today, "594,00", "645,00")},
		},
	}, sumUp)
}
