package paylist_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/draft"
	"elsom/internal/fault"
	"elsom/internal/outbox"
	"elsom/internal/paylist"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// fixture has the services and one customer, whose browser is known.
type fixture struct {
	*testkit.App
	holder customer.Customer
}

func newFixture(t *testing.T, db *database.DB) *fixture {
	t.Helper()
	f := &fixture{App: testkit.New(t, db, testkit.Options{NoRateLimits: true})}
	f.Biller.SetCheck(testkit.Good)
	f.holder = f.NewCustomer(1_000_000_00)
	f.holder.Browser.Known, f.holder.Browser.Session = true, "a session"
	return f
}

// companies returns a list of n companies with sums of 1, 2, … som.
func companies(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "002071996%05d; %d\n", i, i+1)
	}
	return text.String()
}

func (f *fixture) make(text string) int64 {
	f.T.Helper()
	return require.Value(f.Lists.Make(f.T.Context(), f.holder, "dostek", paylist.Upload{Text: text}))(f.T)
}

func (f *fixture) list(id int64) paylist.List {
	f.T.Helper()
	return require.Value(f.Lists.ByID(f.T.Context(), f.holder.ID, id))(f.T)
}

// work runs the worker until the list is in a state.
func (f *fixture) work(id int64, until paylist.State) {
	f.T.Helper()
	ctx, cancel := context.WithCancel(f.T.Context())
	var workers sync.WaitGroup
	workers.Go(func() { outbox.Work(ctx, f.DB, f.Notifier, f.Lists.Worker()) })
	require.Eventually(f.T, "the list is "+string(until), func() bool { return f.list(id).State == until })
	cancel()
	workers.Wait()
}

func (f *fixture) ready(text string) int64 {
	f.T.Helper()
	id := f.make(text)
	f.work(id, paylist.Ready)
	return id
}

func (f *fixture) payments() int { return f.Count("SELECT COUNT(*) FROM payments") }

func TestListIsPaidOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f, ctx := newFixture(t, db), t.Context()
		id := f.ready(companies(30) + "123; 5\n")
		l := f.list(id)
		if l.Count(paylist.Good) != 30 || l.Count(paylist.Refused) != 1 || l.Total() != 465_00 || l.Lines[30].Reason != "catalog.inn_length" {
			t.Fatalf("%d good lines, %d refused, total %d", l.Count(paylist.Good), l.Count(paylist.Refused), l.Total())
		}
		for range 3 {
			require.NoError(t, f.Lists.Accept(ctx, f.holder, id))
		}
		f.work(id, paylist.Done)
		require.NoError(t, f.Lists.Accept(ctx, f.holder, id))
		l = f.list(id)
		if n := f.payments(); n != 30 || l.Count(paylist.Paid) != 30 {
			t.Errorf("%d payments, %d lines paid", n, l.Count(paylist.Paid))
		}
		for _, line := range l.Lines[:30] {
			if paid := require.Value(f.Payments.ByID(ctx, f.holder.ID, line.DraftID))(t); paid.Identifier != line.Identifier || paid.Amount != line.Amount {
				t.Errorf("line %d: %+v", line.Line, paid)
			}
		}
		f.WantAudit()
	})
}

func TestSameCompanyTwice(t *testing.T) {
	db := databasetest.SQLite(t)
	f := newFixture(t, db)
	l := f.list(f.ready("00207199610017; 5\n00207199610025; 6\n0020 7199 6100 17; 7\n"))
	if got := l.Lines[2]; got.State != paylist.Refused || got.Reason != "paylist.twice" || got.Args["Line"] != "1" || l.Total() != 11_00 {
		t.Errorf("the second line of a company: %+v", got)
	}
}

func TestListIsAcceptedWhenItIsReady(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f, ctx := newFixture(t, db), t.Context()
		id := f.make(companies(2))
		if err := f.Lists.Accept(ctx, f.holder, id); fault.As(err).Reason != "paylist.not_ready" {
			t.Errorf("while it is checked: %v", err)
		}
		f.work(id, paylist.Ready)
		other := f.NewCustomer(1000_00)
		if err := f.Lists.Accept(ctx, other, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("by another wallet: %v", err)
		}
		strange := f.holder
		strange.Browser.Known = false
		if err := f.Lists.Accept(ctx, strange, id); fault.As(err).Reason != draft.Unconfirmed {
			t.Errorf("in a strange browser: %v", err)
		}
		nothing := f.ready("123; 5")
		if err := f.Lists.Accept(ctx, f.holder, nothing); fault.As(err).Reason != "paylist.nothing" {
			t.Errorf("without a good line: %v", err)
		}
		if f.payments() != 0 {
			t.Error("something is paid")
		}
	})
}

// The money is judged for all lines together, and a large total is confirmed.
func TestLimitsOfSeveral(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f, ctx := newFixture(t, db), t.Context()
		large := f.ready("00207199610017; 3000\n00207199610025; 3000\n")
		if err := f.Lists.Accept(ctx, f.holder, large); fault.As(err).Reason != draft.Unconfirmed {
			t.Errorf("6,000 som in two lines: %v", err)
		}
		f.holder = f.NewCustomer(5_00)
		f.holder.Browser.Known = true
		id := f.ready("00207199610017; 3\n00207199610025; 3\n")
		if err := f.Lists.Accept(ctx, f.holder, id); !fault.Is(err, fault.Insufficient) {
			t.Errorf("6 som of 5: %v", err)
		}
		if f.payments() != 0 {
			t.Error("something is paid")
		}
	})
}

// Lines or drafts that were changed in the database after the confirmation are not paid.
func TestForgedListPaysNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f, ctx := newFixture(t, db), t.Context()
		id, other := f.ready(companies(2)), f.ready("00207199619999; 100\n")
		require.NoError(t, f.Lists.Accept(ctx, f.holder, id))
		databasetest.Tamper(t, db, fmt.Sprintf("UPDATE payment_list_lines SET draft_id = %d WHERE list_id = %d AND line = 2", f.list(other).Lines[0].DraftID, id))
		f.work(id, paylist.Done)
		if l := f.list(id); f.payments() != 0 || l.Count(paylist.Failed) != 2 || l.Lines[0].Reason != "paylist.stopped" {
			t.Errorf("%d payments, lines %+v", f.payments(), l.Lines)
		}
		// A list that was never accepted, by hand.
		databasetest.Tamper(t, db, fmt.Sprintf("UPDATE payment_lists SET state = 'paying' WHERE id = %d", other))
		require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			return outbox.Add(ctx, tx, outbox.Message{Queue: paylist.Queue, Key: "forged", Payload: map[string]int64{"list": other}})
		}))
		f.work(other, paylist.Done)
		if f.payments() != 0 {
			t.Error("a forged list is paid")
		}
	})
}

// What a request knows of a session that has ended since pays no list.
func TestListOfASessionThatEnded(t *testing.T) {
	f := newFixture(t, databasetest.SQLite(t))
	id, before := f.ready(companies(2)), f.holder
	before.SessionEpoch--
	if err := f.Lists.Accept(t.Context(), before, id); fault.As(err).Reason != customer.SessionEnded || f.list(id).State != paylist.Ready {
		t.Errorf("accepted: %v", err)
	}
}

// After all sessions were ended, nothing more of a list is paid.
func TestListStopsWithAllSessions(t *testing.T) {
	db := databasetest.SQLite(t)
	f, ctx := newFixture(t, db), t.Context()
	id := f.ready(companies(2))
	require.NoError(t, f.Lists.Accept(ctx, f.holder, id))
	databasetest.Tamper(t, db, fmt.Sprintf("UPDATE customers SET session_epoch = session_epoch + 1 WHERE id = %d", f.holder.ID))
	databasetest.Resign(t, db, signature.Login)
	f.work(id, paylist.Done)
	if f.payments() != 0 || f.list(id).Lines[0].Reason != "paylist.stopped" {
		t.Errorf("%d payments, %+v", f.payments(), f.list(id).Lines)
	}
}

// A list that is interrupted after each of its steps, and worked on by two processes, is paid
// once.
func TestInterruptedList(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f, ctx := newFixture(t, db), t.Context()
		id := f.ready(companies(25))
		require.NoError(t, f.Lists.Accept(ctx, f.holder, id))
		// The payment of the first lines was accepted, and then the process died.
		for _, line := range f.list(id).Lines[:5] {
			require.Value(f.Payments.AcceptListed(ctx, f.holder, line.DraftID))(t)
		}
		// Two processes have the list at once, as after a lease that ended too early.
		worker := f.Lists.Worker()
		var messages []outbox.LeasedMessage
		require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
			messages, err = outbox.Acquire(ctx, tx, paylist.Queue, 1, time.Minute)
			return err
		}))
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { worker.Do(context.WithoutCancel(ctx), messages[0]) })
		}
		both.Wait()
		f.work(id, paylist.Done)
		if l := f.list(id); f.payments() != 25 || l.Count(paylist.Paid) != 25 {
			t.Errorf("%d payments, %d lines paid", f.payments(), l.Count(paylist.Paid))
		}
		f.WantAudit()
	})
}

// A biller that doesn't answer checks lets the list go on without names.
func TestSilentBiller(t *testing.T) {
	db := databasetest.SQLite(t)
	f := newFixture(t, db)
	f.Biller.SetCheck(testkit.NoAnswer)
	l := f.list(f.ready(companies(6)))
	if l.Count(paylist.Good) != 6 || l.Lines[0].Payee != "" {
		t.Errorf("%+v", l.Lines)
	}
	f.Biller.SetCheck(biller.Answer{Outcome: biller.Refused, Result: biller.ResultNoAccount})
	if l := f.list(f.ready(companies(2))); l.Count(paylist.Refused) != 2 || l.Lines[0].Reason != "payment.account_unknown" {
		t.Errorf("%+v", l.Lines)
	}
}

// Lists are deleted a day after they expired, and 90 days after they were paid.
func TestPurge(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			clock := &testkit.Clock{}
			f := newFixture(t, open(t, clock.Option()))
			f.ready(companies(1))
			paid := f.ready(companies(2))
			require.NoError(t, f.Lists.Accept(t.Context(), f.holder, paid))
			f.work(paid, paylist.Done)
			for _, c := range []struct {
				after time.Duration
				want  int64
			}{{24 * time.Hour, 0}, {time.Hour, 1}, {88 * 24 * time.Hour, 0}, {2 * 24 * time.Hour, 1}} {
				clock.Advance(c.after)
				if n := require.Value(f.Lists.Purge(t.Context()))(t); n != c.want {
					t.Errorf("%v later: %d lists are deleted, want %d", c.after, n, c.want)
				}
			}
			if n := f.Count("SELECT COUNT(*) FROM payment_list_lines"); n != 0 {
				t.Errorf("%d lines are left", n)
			}
		})
	}
}
