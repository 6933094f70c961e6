package history_test

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/history"
	"elsom/internal/money"
	"elsom/internal/testkit/require"
)

var wallets = flag.Int("wallets", 60, "the number of simulated wallets on SQLite")

// each runs a test on both databases, with simulated wallets.
func each(t *testing.T, most int, run func(t *testing.T, b *books)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, newBooks(t, most, databasetest.SQLite)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, newBooks(t, min(most, 20), databasetest.Postgres)) })
}

// all returns what a filter selects, page by page.
func (b *books) all(w *simulated, f history.Filter) (list []history.Operation) {
	b.T.Helper()
	for before := int64(0); ; {
		page, err := b.history.List(context.Background(), w.ID, f, before, 3)
		require.NoError(b.T, err)
		list = append(list, page.Operations...)
		if before = page.Older; before == 0 {
			return list
		}
	}
}

// Statements of simulated wallets agree with the books to the tyiyn: opening and closing
// balance, sums, and the operations themselves, also while days are summed up.
func TestStatementsAgreeWithTheBooks(t *testing.T) {
	each(t, *wallets, func(t *testing.T, b *books) {
		ctx := context.Background()
		for range 3 {
			b.run(12, 4*24*time.Hour)
			for _, w := range b.wallets {
				from, to := b.period()
				want, lines := model(w, from, to)
				got, err := b.history.Statement(ctx, w.ID, from, to)
				require.NoError(t, err)
				whole, list, err := b.history.Whole(ctx, w.ID, from, to)
				require.NoError(t, err)
				if got != want || whole != want {
					t.Fatalf("wallet %d from %s to %s:\n%+v\n%+v\nwant\n%+v", w.ID, from, to, got, whole, want)
				}
				slices.Reverse(list)
				page, err := b.history.StatementPage(ctx, w.ID, got, 0, 1000)
				require.NoError(t, err)
				wantSame(t, list, lines)
				wantSame(t, page.Operations, lines)
			}
			wantToday(t, b)
		}
		if n := b.Count("SELECT COUNT(*) FROM history_days"); n == 0 {
			t.Error("no day was summed up")
		}
	})
}

// wantToday checks the statements of today, after an operation of each wallet yesterday,
// which is not summed up.
func wantToday(t *testing.T, b *books) {
	t.Helper()
	for _, w := range b.wallets {
		b.step(w)
	}
	b.clock.Advance(25 * time.Hour)
	today := history.Day(b.DB.Now())
	for _, w := range b.wallets {
		want, _ := model(w, today, today.AddDate(0, 0, 1))
		got, err := b.history.Statement(context.Background(), w.ID, today, today.AddDate(0, 0, 1))
		require.NoError(t, err)
		if got != want || got.Closing != w.balance {
			t.Fatalf("wallet %d today: %+v, want %+v and a balance of %s", w.ID, got, want, w.balance)
		}
	}
}

// model returns the statement of a wallet and its lines, newest first.
func model(w *simulated, from, to time.Time) (s history.Statement, lines []history.Operation) {
	s = history.Statement{From: from, To: to}
	for _, o := range w.list {
		switch {
		case o.At.Before(from):
			s.Opening += o.Amount
		case o.At.Before(to):
			lines, s.Count = append(lines, o), s.Count+1
			if o.Amount > 0 {
				s.In += o.Amount
			} else {
				s.Out -= o.Amount
			}
		}
	}
	s.Closing = s.Opening + s.In - s.Out
	slices.Reverse(lines)
	return s, lines
}

func wantSame(t *testing.T, got, want []history.Operation) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(g, w history.Operation) bool {
		return g.ID == w.ID && g.Kind == w.Kind && g.State == w.State && g.Amount == w.Amount && g.Service == w.Service &&
			(w.Kind == history.Refund || g.Code == w.Code && g.Payee == w.Payee) && g.PaymentID == w.PaymentID && g.At.Equal(w.At)
	}) {
		t.Fatalf("%d operations, want %d:\n%+v\n%+v", len(got), len(want), got, want)
	}
}

// Totals are those of the operations that the pages list, for every filter.
func TestTotalsAreOfWhatIsListed(t *testing.T) {
	each(t, 25, func(t *testing.T, b *books) {
		b.run(25, 5*24*time.Hour)
		for _, w := range b.wallets {
			for _, f := range []history.Filter{
				{}, {Direction: history.In}, {Direction: history.Out}, {Kind: history.Payment}, {Kind: history.Other}, {Service: "hoster"},
				{State: history.Refunded}, {State: history.Completed}, {State: history.Processing}, {Kind: history.Sent, Direction: history.In},
				{Query: "ала-тоо"}, {Query: "0020 7199"}, {Kind: history.Payment, Service: "dostek", State: history.Completed, Direction: history.Out, Query: "осоо"},
			} {
				f.From, f.To = b.period()
				var want history.Totals
				var lines []history.Operation
				for _, o := range w.list {
					if !selected(o, f) {
						continue
					}
					lines, want.Count = append(lines, o), want.Count+1
					switch {
					case o.State == history.Refunded:
						want.Returned -= o.Amount
					case o.Amount > 0:
						want.In += o.Amount
					default:
						want.Out -= o.Amount
					}
				}
				slices.Reverse(lines)
				wantSame(t, b.all(w, f), lines)
				got, err := b.history.Totals(context.Background(), w.ID, f)
				require.NoError(t, err)
				var in, out money.Amount
				count := 0
				for _, m := range got.Months {
					in, out, count = in+m.In, out+m.Out, count+m.Count
				}
				if got.In != want.In || got.Out != want.Out || got.Returned != want.Returned || got.Count != want.Count ||
					in != want.In || out != want.Out || count != want.Count || len(got.Months) > 13 {
					t.Fatalf("wallet %d, %+v: %+v, want %+v", w.ID, f, got, want)
				}
			}
		}
	})
}

// selected applies a filter to all operations, one by one.
func selected(o history.Operation, f history.Filter) bool {
	return o.Kind != history.Refund && !o.At.Before(f.From) && o.At.Before(f.To) && (f.Kind == "" || f.Kind == o.Kind) &&
		(f.Direction == "" || (f.Direction == history.In) == (o.Amount > 0)) && (f.Service == "" || f.Service == o.Service) &&
		(f.State == "" || f.State == o.State) && (f.Query == "" || o.Kind == history.Payment)
}

// An entry of the last minutes is not summed up: another one could be committed before it.
func TestEntriesOfLastMinutesAreNotSummed(t *testing.T) {
	each(t, 1, func(t *testing.T, b *books) {
		w := b.wallets[0]
		b.run(20, time.Millisecond)
		from := history.Day(b.DB.Now())
		got, err := b.history.Statement(context.Background(), w.ID, from, from.AddDate(0, 0, 2))
		require.NoError(t, err)
		if n := b.Count("SELECT COUNT(*) FROM history_days"); n != 0 || got.Closing != w.balance {
			t.Errorf("%d rows, a balance of %s, want %s", n, got.Closing, w.balance)
		}
	})
}

// Without operations, before the wallet and in the future, statements are of zero.
func TestEmptyStatements(t *testing.T) {
	each(t, 1, func(t *testing.T, b *books) {
		w := b.wallets[0]
		b.run(10, time.Hour)
		today := history.Day(b.DB.Now())
		for _, from := range []time.Time{today.AddDate(-3, 0, 0), today.AddDate(0, -2, 0), today.AddDate(0, 2, 0)} {
			got, list, err := b.history.Whole(context.Background(), w.ID, from, from.AddDate(0, 1, 0))
			require.NoError(t, err)
			opening := money.Amount(0)
			if from.After(today) {
				opening = w.balance
			}
			if len(list) != 0 || got.Count != 0 || got.Opening != opening || got.Closing != opening || got.In != 0 || got.Out != 0 {
				t.Errorf("from %s: %+v", from, got)
			}
		}
	})
}

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 20, 0, 0, 0, time.UTC) // already the 2nd in Bishkek
	for _, c := range []struct {
		from, to, first, last string
		reason                fault.Reason
		field                 string
	}{
		{"", "", "2025-12-02", "2026-12-02", "", ""},
		{"2026-11-01", "", "2026-11-01", "2026-12-02", "", ""},
		{"2024-01-01", "", "2024-01-01", "2024-12-31", "", ""},
		{"2027-01-01", "", "2027-01-01", "2028-01-01", "", ""},
		{"", "2026-03-31", "2025-03-31", "2026-03-31", "", ""},
		{" 01.02.2026 ", "28.02.2026", "2026-02-01", "2026-02-28", "", ""},
		{"2026-02-01", "2026-02-01", "2026-02-01", "2026-02-01", "", ""},
		{"2026-02-30", "2026-03-01", "", "", history.BadDate, "from"},
		{"2026-02-01", "31.04.2026", "", "", history.BadDate, "to"},
		{"yesterday", "", "", "", history.BadDate, "from"},
		{"0001-01-01", "", "", "", history.BadDate, "from"},
		{"2026-03-02", "2026-03-01", "", "", history.BadOrder, "to"},
		{"2025-01-01", "2026-01-02", "", "", history.LongPeriod, "from"},
	} {
		from, to, err := history.ParsePeriod(c.from, c.to, now)
		if c.reason != "" {
			if !errors.Is(err, c.reason) || fault.All(err)[0].Field != c.field {
				t.Errorf("%q, %q: %v", c.from, c.to, err)
			}
			continue
		}
		require.NoError(t, err)
		if from.Format("2006-01-02") != c.first || to.AddDate(0, 0, -1).Format("2006-01-02") != c.last {
			t.Errorf("%q, %q: from %s to before %s", c.from, c.to, from, to)
		}
	}
}

// Two processes that sum up at once, and one that is interrupted, count nothing twice.
func TestSummingUpAtOnce(t *testing.T) {
	each(t, 1, func(t *testing.T, b *books) {
		w := b.wallets[0]
		b.run(60, 3*time.Hour)
		b.clock.Advance(time.Hour)
		from, to := history.Day(b.DB.Now()).AddDate(0, 0, -100), history.Day(b.DB.Now()).AddDate(0, 0, 1)
		want, _ := model(w, from, to)
		results := make(chan history.Statement)
		for range 4 {
			go func() {
				got, err := history.New(b.DB).Often().Statement(context.Background(), w.ID, from, to)
				if err != nil {
					t.Error(err)
				}
				results <- got
			}()
		}
		for range 4 {
			if got := <-results; got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	})
}
