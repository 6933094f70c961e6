package payment_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

// under returns the number of calls in progress.
func (f *fake) under() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.busy
}

// Deliveries acquired ahead of their calls wait for one of the twelve slots, also
// when more are acquired meanwhile.
func TestAcquiredAheadWaitsForASlot(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(timing *payment.Timing) { timing.AcquireAhead = time.Hour })
		attempts := func(n int) {
			t.Helper()
			require.Eventually(t, "claimed ahead", func() bool { return h.Count("SELECT COUNT(*) FROM payment_attempts") == n })
		}
		paid := h.payEach(15)
		h.deliver()
		attempts(15)
		paid = append(paid, h.payEach(15)...)
		attempts(30)
		require.Eventually(t, "twelve calls", func() bool { return f.under() == 12 })
		time.Sleep(200 * time.Millisecond) // time for a thirteenth
		f.release()
		for _, p := range paid {
			h.ends(p)
		}
		if f.most != 12 {
			t.Fatalf("%d calls at once", f.most)
		}
		require.Eventually(t, "the slots are free", func() bool { return h.taken() == 0 })
		h.WantAudit()
	})
}

// While other processes have all slots, a process asks for some now and then, not
// for each payment; also after its clock was set back.
func TestNoRoomWhileOthersHaveAllSlots(t *testing.T) {
	for _, open := range eachDatabase {
		var ahead atomic.Int64
		noon := time.Now()
		db := open(t, database.WithClock(func() time.Time { return noon.Add(time.Duration(ahead.Load())) }))
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(*payment.Timing) {})
		paid := h.payEach(13)
		h.deliver()
		require.Eventually(t, "twelve calls", func() bool { return f.under() == 12 })
		worker := newFixtureWith(t, db, f, func(*payment.Timing) {}).Worker("dostek")
		tasks, err := worker.Acquire(context.Background(), 1)
		require.NoError(t, err)
		if len(tasks) != 0 {
			t.Fatalf("%d deliveries without a slot", len(tasks))
		}
		for _, moment := range []struct {
			ahead time.Duration
			asks  bool
		}{{0, false}, {100 * time.Millisecond, false}, {time.Second, true}, {-time.Hour, true}} {
			ahead.Store(int64(moment.ahead))
			if asks := worker.Capacity() > 0; asks != moment.asks {
				t.Errorf("%s later it asks: %t", moment.ahead, asks)
			}
		}
		ahead.Store(0)
		f.release()
		for _, p := range paid {
			h.ends(p)
		}
		h.WantAudit()
	}
}

// After a rush a process keeps as many slots as it has calls; others can acquire
// the rest at once.
func TestSurplusSlotsAreReleased(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		worker := h.Worker("dostek")
		claim := func(w outbox.Worker, n int) []outbox.LeasedMessage {
			t.Helper()
			h.payEach(n)
			tasks, err := w.Acquire(context.Background(), n)
			require.NoError(t, err)
			if len(tasks) != n {
				t.Fatalf("%d deliveries of %d", len(tasks), n)
			}
			return tasks
		}
		rush := claim(worker, 12)
		for _, task := range rush[1:] {
			worker.Do(context.Background(), task)
		}
		trickle := claim(worker, 1)
		if n := h.taken(); n != 2 {
			t.Fatalf("%d slots for two calls", n)
		}
		other := newFixtureWith(t, db, h.biller, func(*payment.Timing) {}).Worker("dostek")
		for _, task := range claim(other, 10) {
			other.Do(context.Background(), task)
		}
		worker.Do(context.Background(), rush[0])
		worker.Do(context.Background(), trickle[0])
		worker.Idle(context.Background())
		other.Idle(context.Background())
		if n := h.taken(); n != 0 {
			t.Fatalf("%d slots for no call", n)
		}
		h.WantAudit()
	})
}

func TestCallThatCouldOutlastItsLeaseIsNotMade(t *testing.T) {
	for _, open := range eachDatabase {
		var ahead atomic.Int64
		db := open(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
		h := newFixture(t, db, good)
		p := h.pay(h.NewCustomer(100_00), "100")
		worker := h.Worker("dostek")
		tasks, err := worker.Acquire(context.Background(), 1)
		require.NoError(t, err)
		ahead.Store(int64(30 * time.Second)) // of 45, and a call may take 20
		worker.Do(context.Background(), tasks[0])
		if n := h.biller.count(p.TxnID); n != 0 {
			t.Fatalf("%d calls", n)
		}
		if n := h.Count("SELECT COUNT(*) FROM payment_attempts WHERE outcome = 'unsent'"); n != 1 {
			t.Fatalf("%d attempts known to be none", n)
		}
		h.deliver()
		h.ends(p)
		h.WantAudit()
	}
}

// odd answers with an outcome that doesn't exist.
type odd struct {
	*fake
	of func(txnID string) bool
}

func (o odd) Pay(ctx context.Context, r biller.Request) biller.Answer {
	answer := o.fake.Pay(ctx, r)
	if o.of(r.TxnID) {
		answer.Outcome = biller.Outcome(99)
	}
	return answer
}

// An answer that can't be stored leaves its attempt without an outcome; answers of
// the same batch are stored.
func TestUnrecordableAnswerDoesNotStopOthers(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(later, good).holding()
		h := newFixtureWith(t, db, f, func(*payment.Timing) {})
		spoilt := map[string]bool{}
		h.wire = func(catalog.Biller) biller.Biller { return odd{f, func(txnID string) bool { return spoilt[txnID] }} }
		var sound []payment.Payment
		for i, p := range h.payEach(12) {
			if spoilt[p.TxnID] = i%2 == 0; !spoilt[p.TxnID] {
				sound = append(sound, p)
			}
		}
		h.deliver()
		require.Eventually(t, "all are called", func() bool { return f.under() == 12 })
		f.release()
		for _, p := range sound {
			if got := h.ends(p); got.State != payment.Completed {
				t.Fatalf("%+v", got)
			}
		}
		h.WantAudit()
	})
}
