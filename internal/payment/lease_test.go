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
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

// lateRefusal is a biller whose first refusal arrives after a second attempt, made when
// the first one's lease had expired, was booked and its answer lost.
type lateRefusal struct {
	*fake
	calls  atomic.Int32
	expire func()
	second chan struct{}
}

func (l *lateRefusal) Pay(ctx context.Context, r biller.Request) biller.Answer {
	switch l.calls.Add(1) {
	case 1:
		l.expire()
		<-l.second
		return refused(5)
	case 2:
		l.fake.Pay(ctx, r) // booked
		close(l.second)
		return silence
	}
	return l.fake.Pay(ctx, r)
}

// A refusal that comes after its lease expired must not refund: the biller may have
// booked since.
func TestLateRefusalDoesNotRefund(t *testing.T) {
	for _, open := range []func(testing.TB, ...database.Option) *database.DB{databasetest.SQLite, databasetest.Postgres} {
		var ahead atomic.Int64
		db := open(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
		h := newFixture(t, db, good)
		h.trust(false)
		l := &lateRefusal{fake: h.biller, second: make(chan struct{}), expire: func() { ahead.Store(int64(2 * time.Minute)) }}
		h.wire = func(catalog.Biller) biller.Biller { return l }
		c := h.NewCustomer(100_00)
		p := h.pay(c, "100")
		stop := h.deliver()
		if got := h.awaitEnd(p); got.State != payment.Completed {
			t.Fatalf("%s, although the biller has booked", got.State)
		}
		h.WantBalance(c.ID, 0)
		stop()
		h.WantAudit()
	}
}

func TestClockSetBackDoesNotStopDeliveries(t *testing.T) {
	var ahead atomic.Int64
	db := databasetest.SQLite(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
	f := newFake(good).holding()
	h := newFixtureWith(t, db, f, func(*payment.Timing) {})
	c := h.NewCustomer(1000_00)
	paid := h.payEach(12)
	h.deliver()
	require.Eventually(t, "all slots are taken", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.busy == 12 })
	f.release()
	for _, p := range paid {
		h.awaitEnd(p)
	}
	require.Eventually(t, "all slots are free", func() bool { return h.taken() == 0 })
	ahead.Store(-int64(time.Hour))
	h.awaitEnd(h.pay(c, "1"))
}

// A payment that a transaction of another process is leasing is not acquired, neither
// before its commit nor after.
func TestPaymentIsAcquiredOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ctx, worker := context.Background(), h.Worker("dostek")
		_, err := worker.Acquire(ctx, 1) // makes the slots
		require.NoError(t, err)
		h.payEach(1)
		acquired := make(chan int, 1)
		require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			err := tx.Gorm().Exec("UPDATE payments SET lease = 1, leased_until = ?", database.StoredTime(tx.Now().Add(time.Minute))).Error
			go func() {
				messages, err := worker.Acquire(context.WithoutCancel(ctx), 1)
				if err != nil {
					t.Error(err)
				}
				acquired <- len(messages)
			}()
			time.Sleep(300 * time.Millisecond) // time to acquire regardless
			return err
		}))
		if n := <-acquired; n != 0 {
			t.Errorf("%d deliveries of a payment that another process delivers", n)
		}
	})
}

// An answer that comes after its lease expired doesn't end the lease of the worker that has
// acquired the payment since.
func TestLateAnswerDoesNotEndTheLease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, later)
		p := h.payEach(1)[0]
		ctx, worker := context.Background(), h.Worker("dostek")
		messages, err := worker.Acquire(ctx, 1)
		require.NoError(t, err)
		h.exec("UPDATE payments SET lease = 1 WHERE id = ?", p.ID)
		worker.Do(ctx, messages[0])
		if n := h.Count("SELECT COUNT(*) FROM payments WHERE lease = 1 AND due_at = accepted_at"); n != 1 {
			t.Error("the other worker's lease has ended")
		}
		if n := h.Count("SELECT COUNT(*) FROM payment_attempts WHERE outcome = 'later'"); n != 1 {
			t.Error("the answer is not stored")
		}
	})
}
