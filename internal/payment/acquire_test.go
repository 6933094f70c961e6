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
			require.Eventually(t, "acquired ahead", func() bool { return h.Count("SELECT COUNT(*) FROM payment_attempts") == n })
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
			h.awaitEnd(p)
		}
		if f.most != 12 {
			t.Fatalf("%d calls at once", f.most)
		}
		require.Eventually(t, "the slots are free", func() bool { return h.taken() == 0 })
		h.WantAudit()
	})
}

// While other processes have all slots, a process tries to acquire one now and then, not
// for each payment; also after its clock was set back.
func TestCapacityWhileOthersHaveAllSlots(t *testing.T) {
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
		messages, err := worker.Acquire(context.Background(), 1)
		require.NoError(t, err)
		if len(messages) != 0 {
			t.Fatalf("%d deliveries without a slot", len(messages))
		}
		for _, moment := range []struct {
			ahead time.Duration
			want  bool
		}{{0, false}, {100 * time.Millisecond, false}, {time.Second, true}, {-time.Hour, true}} {
			ahead.Store(int64(moment.ahead))
			if got := worker.Capacity() > 0; got != moment.want {
				t.Errorf("%s later: capacity %t", moment.ahead, got)
			}
		}
		ahead.Store(0)
		f.release()
		for _, p := range paid {
			h.awaitEnd(p)
		}
		h.WantAudit()
	}
}

// After a burst a process keeps as many slots as it has calls; others can acquire
// the rest at once.
func TestSurplusSlotsAreReleased(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		worker := h.Worker("dostek")
		acquire := func(w outbox.Worker, n int) []outbox.LeasedMessage {
			t.Helper()
			h.payEach(n)
			messages, err := w.Acquire(context.Background(), n)
			require.NoError(t, err)
			if len(messages) != n {
				t.Fatalf("%d deliveries of %d", len(messages), n)
			}
			return messages
		}
		burst := acquire(worker, 12)
		for _, message := range burst[1:] {
			worker.Do(context.Background(), message)
		}
		next := acquire(worker, 1)
		if n := h.taken(); n != 2 {
			t.Fatalf("%d slots for two calls", n)
		}
		other := newFixtureWith(t, db, h.biller, func(*payment.Timing) {}).Worker("dostek")
		for _, message := range acquire(other, 10) {
			other.Do(context.Background(), message)
		}
		worker.Do(context.Background(), burst[0])
		worker.Do(context.Background(), next[0])
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
		messages, err := worker.Acquire(context.Background(), 1)
		require.NoError(t, err)
		ahead.Store(int64(30 * time.Second)) // of 45, and a call may take 20
		worker.Do(context.Background(), messages[0])
		if n := h.biller.count(p.TxnID); n != 0 {
			t.Fatalf("%d calls", n)
		}
		if n := h.Count("SELECT COUNT(*) FROM payment_attempts WHERE outcome = 'unsent'"); n != 1 {
			t.Fatalf("%d attempts known to be none", n)
		}
		h.deliver()
		h.awaitEnd(p)
		h.WantAudit()
	}
}

// invalidOutcome is a biller that answers with an outcome that doesn't exist.
type invalidOutcome struct {
	*fake
	of func(txnID string) bool
}

func (o invalidOutcome) Pay(ctx context.Context, r biller.Request) biller.Answer {
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
		invalid := map[string]bool{}
		h.wire = func(catalog.Biller) biller.Biller {
			return invalidOutcome{f, func(txnID string) bool { return invalid[txnID] }}
		}
		var valid []payment.Payment
		for i, p := range h.payEach(12) {
			if invalid[p.TxnID] = i%2 == 0; !invalid[p.TxnID] {
				valid = append(valid, p)
			}
		}
		h.deliver()
		require.Eventually(t, "all are called", func() bool { return f.under() == 12 })
		f.release()
		for _, p := range valid {
			if got := h.awaitEnd(p); got.State != payment.Completed {
				t.Fatalf("%+v", got)
			}
		}
		h.WantAudit()
	})
}
