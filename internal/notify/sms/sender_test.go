package sms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/outbox"
)

// waitForCount waits for a count.
func (f *fixture) waitForCount(what, query string, want int) {
	f.Helper()
	var n int
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if err := f.db.Pool().QueryRow(query).Scan(&n); err != nil {
			f.Fatal(err)
		}
		if n == want {
			return
		}
	}
	f.Fatalf("%s: %d, want %d", what, n, want)
}

// run runs a sender until the returned function is called.
func (f *fixture) run(g Gateway) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { NewSender(f.db, f.sealer, g, f.options).Run(ctx, outbox.NewNotifier()) })
	return func() { cancel(); running.Wait() }
}

// TestStatementsPerMessage counts all statements, from the search for due messages to
// the last commit: a message is written when it is acquired and when it was sent, and
// many share a transaction.
func TestStatementsPerMessage(t *testing.T) {
	const n = 400
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var statements atomic.Int64
			db := open(t, database.WithTrace(func(text string, _ []any) {
				if !strings.HasPrefix(text, "--") { // SQLite traces triggers as comments
					statements.Add(1)
				}
			}))
			s := newSealer(t, "the server's secret")
			f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 2 * n}}
			var list []Outgoing
			for i := range n {
				list = append(list, OutboxMessage(fmt.Sprint(i), plainMessage))
			}
			f.add(list...)
			statements.Store(0)
			stop := f.run(f.gateway)
			f.waitForCount("sent messages", "SELECT COUNT(*) FROM messages WHERE state = 'sent'", n)
			stop()
			total := statements.Load()
			t.Logf("%.2f statements per message", float64(total)/n)
			if total > n/2 {
				t.Errorf("%d statements for %d messages", total, n)
			}
			for i := range n {
				f.wantState(fmt.Sprint(i), Sent)
			}
			if len(f.gateway.sent) != n {
				t.Errorf("%d calls for %d messages", len(f.gateway.sent), n)
			}
		})
	}
}

// While a process acquires messages, another one passes them over.
func TestAcquiredOnce(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t) // SQLite has one writer
	s := newSealer(t, "the server's secret")
	f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{}}
	f.add(OutboxMessage("a", plainMessage), OutboxMessage("b", plainMessage))
	d := NewSender(db, s, f.gateway, Options{})
	acquire := func(ctx context.Context, n int) (acquired []Acquired, err error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return d.Step(ctx, Queue, nil, n)
	}
	err := db.InTx(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		first := step{now: tx.Now(), token: tx.NewID()}
		if err := d.acquire(tx, Queue, 1, &first); err != nil {
			return err
		}
		second, err := acquire(ctx, 2)
		if err != nil || len(first.acquired) != 1 || len(second) != 1 || second[0].ID == first.acquired[0].ID {
			t.Errorf("acquired %+v and %+v, %v", first.acquired, second, err)
		}
		return first.store(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if third, err := acquire(t.Context(), 2); err != nil || len(third) != 0 {
		t.Errorf("acquired again: %+v, %v", third, err)
	}
}

// An outcome that arrives after the message was acquired again does not make it due.
func TestLateOutcome(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(OutboxMessage("a", plainMessage))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		first, err := d.Step(f.Context(), Queue, nil, 1)
		if err != nil || len(first) != 1 {
			f.Fatal(first, err)
		}
		f.advance(repeatAfter + time.Second)
		second, err := d.Step(f.Context(), Queue, nil, 1)
		if err != nil || len(second) != 1 || second[0].Attempts != 2 {
			f.Fatal(second, err)
		}
		late := Outcome{first[0], fault.New(fault.Unavailable, "test", "").After(time.Nanosecond)}
		if _, err := d.Step(f.Context(), Queue, []Outcome{late}, 0); err != nil {
			f.Fatal(err)
		}
		third, err := d.Step(f.Context(), Queue, nil, 1)
		if err != nil || len(third) != 0 {
			f.Errorf("acquired while it is called: %+v, %v", third, err)
		}
	})
}

// A refusal that arrives after the message was acquired again does not end it: another
// process is sending it.
func TestLateRefusal(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(OutboxMessage("a", plainMessage))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		step := func(n int, outcomes ...Outcome) []Acquired {
			acquired, err := d.Step(f.Context(), Queue, outcomes, n)
			if err != nil || len(acquired) != n {
				f.Fatal(acquired, err)
			}
			return acquired
		}
		first := step(1)
		f.advance(repeatAfter + time.Second)
		second := step(1)
		refused := fault.New(fault.Invalid, "test", "")
		step(0, Outcome{first[0], refused})
		f.wantState("a", Queued)
		step(0, Outcome{second[0], refused})
		f.wantState("a", Failed)
	})
}

func TestIsFinal(t *testing.T) {
	refused, unavailable := fault.New(fault.Invalid, "test", ""), fault.New(fault.Unavailable, "test", "")
	for _, c := range []struct {
		queue    string
		attempts int
		err      error
		want     bool
	}{
		{Queue, 1, refused, true}, {Queue, 1, unavailable, false}, {Queue, maxAttempts, unavailable, true},
		{Queue, 1, errNotCalled, false}, {Queue, maxAttempts, errNotCalled, false}, {"", maxAttempts, errNotCalled, true},
	} {
		if got := isFinal(Outcome{Acquired{Queue: c.queue, Attempts: c.attempts}, c.err}); got != c.want {
			t.Errorf("queue %q, %d attempts, %v: %t", c.queue, c.attempts, c.err, got)
		}
	}
}

// A message that waited long after its acquisition may have been acquired by another
// process.
func TestLateCallIsNotMade(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		acquired, err := d.Step(f.Context(), CodeQueue, nil, 1)
		if err != nil || len(acquired) != 1 {
			f.Fatal(acquired, err)
		}
		acquired[0].at = acquired[0].at.Add(-callWithin - time.Second)
		outcome := d.Send(f.Context(), acquired[0])
		if !errors.Is(outcome.Err, errNotCalled) || len(f.gateway.sent) != 0 {
			f.Fatalf("%v, %d calls", outcome.Err, len(f.gateway.sent))
		}
		if _, err := d.Step(f.Context(), CodeQueue, []Outcome{outcome}, 0); err != nil {
			f.Fatal(err)
		}
		f.deliver()
		f.wantState("a", Sent)
	})
}

// A message that expires between its acquisition and its call fails.
func TestExpiredMessageIsNotSent(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		acquired, err := d.Step(f.Context(), CodeQueue, nil, 1)
		if err != nil || len(acquired) != 1 {
			f.Fatal(acquired, err)
		}
		past := f.db.Now().Add(-time.Millisecond)
		acquired[0].expiresAt = &past
		outcome := d.Send(f.Context(), acquired[0])
		if !errors.Is(outcome.Err, errExpired) || len(f.gateway.sent) != 0 {
			f.Fatalf("%v, %d calls", outcome.Err, len(f.gateway.sent))
		}
		if _, err := d.Step(f.Context(), CodeQueue, []Outcome{outcome}, 0); err != nil {
			f.Fatal(err)
		}
		f.wantState("a", Failed)
	})
}

type panickingGateway struct{}

func (panickingGateway) Send(context.Context, Rendered) error { panic("?") }

func TestPanicOfTheGateway(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(OutboxMessage("a", plainMessage))
		d := NewSender(f.db, f.sealer, panickingGateway{}, Options{})
		acquired, err := d.Step(f.Context(), Queue, nil, 1)
		if err != nil || len(acquired) != 1 {
			f.Fatal(acquired, err)
		}
		if outcome := d.Send(f.Context(), acquired[0]); !fault.Is(outcome.Err, fault.Unknown) {
			f.Errorf("%v", outcome.Err)
		}
	})
}

// A gateway that accepts the messages of one ID once is called again after the lease,
// also with a code.
func TestIdempotentGatewayIsCalledAgain(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		g := idempotentGateway{f.gateway}
		for _, want := range []int{1, 0, 1} {
			acquired, err := NewSender(f.db, f.sealer, g, Options{}).Step(f.Context(), CodeQueue, nil, 1)
			if err != nil || len(acquired) != want {
				f.Fatalf("%d messages acquired, want %d; %v", len(acquired), want, err)
			}
			f.advance(lease/2 + time.Second)
		}
	})
}

type idempotentGateway struct{ Gateway }

func (idempotentGateway) Idempotent() {}

// When the process ends, calls in progress are finished and their outcomes stored;
// messages that the gateway wasn't called with are due for another process.
func TestRunStoresOutcomesAtItsEnd(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		g := calledGateway{&slowGateway{release: make(chan struct{})}, make(chan struct{})}
		f.add(OutboxMessage("a", plainMessage))
		stop := f.run(g)
		<-g.called
		time.AfterFunc(50*time.Millisecond, func() { close(g.release) })
		stop()
		f.wantState("a", Sent)
	})
}

// calledGateway closes a channel at its call.
type calledGateway struct {
	*slowGateway
	called chan struct{}
}

func (g calledGateway) Send(ctx context.Context, r Rendered) error {
	close(g.called)
	return g.slowGateway.Send(ctx, r)
}

func TestRunLeavesWaitingMessagesDue(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		acquired, err := d.Step(f.Context(), CodeQueue, nil, 1)
		if err != nil || len(acquired) != 1 {
			f.Fatal(acquired, err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		w := &worker{Sender: d, queue: CodeQueue, finished: make(chan Outcome, 1), inFlight: 1}
		w.finished <- w.send(ended, acquired[0])
		w.finish(ended)
		if len(f.gateway.sent) != 0 {
			f.Error("the gateway was called while the process ended")
		}
		f.deliver()
		f.wantState("a", Sent)
	})
}

// If it is unknown whether an acquisition was committed, the gateway is not called, and
// the next step makes the messages due again.
func TestUnknownAcquisitionIsUndone(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		acquired, err := d.Step(f.Context(), CodeQueue, nil, 1)
		if err != nil {
			f.Fatal(err)
		}
		w := &worker{Sender: d, queue: CodeQueue, limit: 1, outcomes: []Outcome{{acquired[0], errNotCalled}}, failed: true, search: true}
		w.step(f.Context())
		if w.failed || len(w.outcomes) != 0 {
			f.Fatalf("%+v", w)
		}
		f.deliver()
		f.wantState("a", Sent)
	})
}

// On PostgreSQL an acquisition needs no new index entries: its update is HOT. Room for
// it is left in the pages that messages are inserted into.
func TestAcquisitionChangesNoIndex(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	s := newSealer(t, "the server's secret")
	f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{}}
	const n = 480
	for begin := 0; begin < n; begin += 12 { // as batches of the ledger do
		var list []Outgoing
		for i := range 12 {
			list = append(list, OutboxMessage(fmt.Sprint(begin+i), plainMessage))
		}
		f.add(list...)
	}
	stop := f.run(f.gateway)
	f.waitForCount("sent messages", "SELECT COUNT(*) FROM messages WHERE state = 'sent'", n)
	stop()
	f.waitForCount("updates", "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'messages'", 2*n)
	var hot int
	if err := db.Pool().QueryRow("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'messages'").Scan(&hot); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d acquisitions are HOT", hot, n)
	if hot < n*9/10 {
		t.Errorf("%d of %d acquisitions are HOT", hot, n)
	}
}
