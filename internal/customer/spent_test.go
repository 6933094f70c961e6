package customer

import (
	"testing"
	"time"
)

// What closed wallets spent counts on the day and in the month of their closing, in
// Bishkek.
func TestSpentBefore(t *testing.T) {
	closed := time.Date(2026, 11, 30, 17, 59, 59, 0, time.UTC) // the last second of the month
	c := Customer{spentAt: closed, spent: Spent{Day: 5, Month: 7}}
	for at, want := range map[time.Time]Spent{
		closed.Add(-20 * time.Hour):      {Day: 5, Month: 7},
		closed.Add(-24 * time.Hour):      {Month: 7},
		closed.Add(time.Second):          {},
		closed.Add(365 * 24 * time.Hour): {},
	} {
		if got := c.SpentBefore(at); got != want {
			t.Errorf("%s: %+v, want %+v", at, got, want)
		}
	}
	if got := (Customer{}).SpentBefore(time.Time{}); got != (Spent{}) {
		t.Errorf("without closed wallets: %+v", got)
	}
}
