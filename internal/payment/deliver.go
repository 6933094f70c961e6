package payment

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"elsom/internal/biller"
	"elsom/internal/billerslot"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/outbox"
)

// leaseTime returns the duration of the leases of deliveries and slots: well over
// the deadline of the call, so that no other worker calls while an answer can
// still arrive.
func leaseTime(b catalog.Biller) time.Duration { return 2*b.Deadline + 5*time.Second }

// billerInterval is how often Deliver looks for new billers.
const billerInterval = 2 * time.Second

// Deliver sends accepted payments to their billers until ctx is done. Each biller
// has a worker of its own, so that one that doesn't answer never delays others.
func (ps *Payments) Deliver(ctx context.Context) {
	var workers sync.WaitGroup
	defer workers.Wait()
	working := map[string]bool{}
	for ctx.Err() == nil {
		codes, err := ps.billers(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "payment: listing the billers failed", "error", err)
		}
		if _, err := ps.Drain(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "payment: moving deliveries of the previous release failed", "error", err)
		}
		for _, code := range codes {
			if !working[code] {
				working[code] = true
				workers.Go(func() { outbox.Work(ctx, ps.db, ps.notifier, ps.Worker(code)) })
			}
		}
		select {
		case <-time.After(billerInterval):
		case <-ctx.Done():
		}
	}
}

// billers returns the codes of the catalog's billers, and of removed ones that
// still have open payments.
func (ps *Payments) billers(ctx context.Context) ([]string, error) {
	list, err := ps.catalog.Billers(ctx)
	if err != nil {
		return nil, err
	}
	//mutant:replace readOpenBillers(ctx, ps.db) => []string(nil), error(nil) TestBillerRetiredWithOpenPayments
	codes, err := readOpenBillers(ctx, ps.db)
	for _, b := range list {
		codes = append(codes, b.Code)
	}
	return codes, err
}

// call is a call to a biller that is to be made; its attempt is stored.
type call struct {
	payment       Payment
	lease         int64
	holder        *customer.Customer // to notify of the payment's end; nil: not read yet
	biller        catalog.Biller
	attempt       SignedAttempt // as it was inserted
	unknownBefore bool          // an earlier attempt may have been booked
	until         time.Time     // when the lease expires
	unverified    error         // why the payment can't be trusted: it is not called; nil: it can
}

// deliverer is the worker of one biller.
type deliverer struct {
	*Payments
	code  string
	pool  *billerslot.Pool
	mu    sync.Mutex
	calls map[int64]call // by id of the payment
}

// maxInFlight is the largest number of deliveries of a biller that are leased,
// called or recorded at once in a process.
const maxInFlight = ledger.MaxBatch

// Worker returns the outbox worker of a biller's deliveries. Its Do accepts only
// messages that its own Acquire returned.
func (ps *Payments) Worker(code string) outbox.Worker {
	d := &deliverer{Payments: ps, code: code, pool: ps.slots.Pool(code), calls: map[int64]call{}}
	return outbox.Worker{
		Queue: Queue(code), Concurrency: maxInFlight, Acquire: d.acquire, Do: d.do, Idle: d.pool.ReleaseIdle,
		CountDue: func(ctx context.Context, limit int) (int, error) { return ps.countDue(ctx, code, limit) },
		Capacity: func() int { return d.pool.Capacity(ps.timing.AcquireAhead) },
	}
}

// acquire leases up to n deliveries with slots for them, and inserts the attempts,
// in one transaction: an attempt is stored before its call.
func (d *deliverer) acquire(ctx context.Context, n int) ([]outbox.LeasedMessage, error) {
	b, err := d.catalog.Biller(ctx, d.code)
	if err != nil {
		return nil, err
	}
	if err := d.slots.Open(ctx, d.code); err != nil {
		return nil, err
	}
	var calls []call
	var renewal billerslot.Renewal
	err = d.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		calls = nil
		if renewal, err = d.pool.Renew(tx, n, leaseTime(b)); err != nil || renewal.Calls == 0 {
			return err
		}
		acquired, err := d.acquireFairly(tx, b, renewal.Calls)
		if err != nil {
			return err
		}
		if calls, err = d.prepare(ctx, tx, b, acquired, renewal.Until); err != nil {
			return err
		}
		//mutant:replace insertAttempts(tx, calls) => nil TestAttemptBeforeCall
		return insertAttempts(tx, calls)
	})
	if err != nil {
		return nil, err
	}
	d.pool.Keep(context.WithoutCancel(ctx), renewal, len(calls))
	d.addHolders(ctx, calls)
	messages := make([]outbox.LeasedMessage, len(calls))
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, c := range calls {
		messages[i] = outbox.LeasedMessage{ID: c.payment.ID, Queue: Queue(d.code), Attempts: c.attempt.Number, LeaseToken: c.lease}
		d.calls[c.payment.ID] = c
	}
	return messages, nil
}

// addHolders reads the customers to notify in one query. If it fails, each call
// reads its customer later.
func (d *deliverer) addHolders(ctx context.Context, calls []call) {
	ids := make([]int64, len(calls))
	for i, c := range calls {
		ids[i] = c.payment.CustomerID
	}
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second) // the leases are running
	defer cancel()
	holders, err := d.readHolders(ctx, ids)
	if err != nil {
		slog.WarnContext(ctx, "payment: reading the holders failed", "biller", d.code, "error", err)
		return
	}
	for i := range calls {
		calls[i].holder = holders[i]
	}
}

// prepare returns the calls of deliveries.
func (d *deliverer) prepare(ctx context.Context, tx *database.Tx, b catalog.Biller, acquired []leased, until time.Time) ([]call, error) {
	ids := make([]int64, len(acquired))
	for i, a := range acquired {
		ids[i] = a.ID
	}
	payments, err := readWithBooks(tx, ids)
	if err != nil {
		return nil, err
	}
	attempts, err := readAttempts(tx, ids)
	if err != nil {
		return nil, err
	}
	calls := make([]call, len(acquired))
	for i, a := range acquired {
		payment := payments[a.ID]
		c := call{payment: payment, lease: a.Lease, biller: b, until: until}
		earlier := attempts[payment.ID]
		c.unknownBefore, c.unverified = payment.verifyAttempts(ctx, tx, earlier)
		if err := payment.verifyInBooks(ctx, tx); err != nil {
			c.unverified = err
		}
		if c.unverified != nil {
			logOf(payment).ErrorContext(ctx, "payment: not delivered", "error", c.unverified)
		}
		c.attempt = SignedAttempt{PaymentID: payment.ID, Number: 1, Biller: b.Code}
		if len(earlier) > 0 {
			c.attempt.Number = earlier[len(earlier)-1].Number + 1
		}
		calls[i] = c
	}
	return calls, nil
}

// do makes one call and applies its answer.
func (d *deliverer) do(ctx context.Context, m outbox.LeasedMessage) {
	d.mu.Lock()
	c := d.calls[m.ID]
	delete(d.calls, m.ID)
	d.mu.Unlock()

	answer := d.call(ctx, c)
	log := logOf(c.payment).With("attempt", c.attempt.Number, "outcome", answer.Outcome.String(), "result", answer.Result)
	if answer.Err != nil {
		log = log.With("error", answer.Err)
	}
	log.InfoContext(ctx, "payment: attempt")
	if err := d.applyAnswer(ctx, c, answer); err != nil {
		// The lease expires and the call is repeated with the same txn_id.
		log.ErrorContext(ctx, "payment: applying the answer failed", "error", err)
	}
}

// call makes the call in a slot. A call that could outlast the lease of its
// payment or slot is not made, because another worker could make it at the same
// time.
func (d *deliverer) call(ctx context.Context, c call) biller.Answer {
	deadline := func() time.Time { return d.db.Now().Add(c.biller.Deadline) }
	slot := d.pool.Acquire(deadline)
	began := d.db.Now()
	defer func() {
		d.pool.Release(slot, d.db.Now().Sub(began))
		d.notifier.Notify(Queue(d.code))
	}()
	//mutant:drop TestCallThatCouldOutlastItsLeaseIsNotMade
	if slot == nil || c.until.Before(deadline()) {
		return biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone, Comment: "not called: no time was left"}
	}
	return d.pay(ctx, c)
}

func (d *deliverer) pay(ctx context.Context, c call) biller.Answer {
	//mutant:drop TestManipulatedPaymentIsNotDelivered
	if c.unverified != nil {
		return biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone, Err: fmt.Errorf("not called: %w", c.unverified)}
	}
	if !c.biller.Connected() {
		return biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone, Comment: "not connected"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.biller.Deadline)
	defer cancel()
	return d.client(c.biller).Pay(ctx, biller.Request{
		TxnID: c.payment.TxnID, Date: c.payment.AcceptedAt, Account: c.payment.Identifier, Sum: c.payment.Amount,
	})
}

func (ps *Payments) applyAnswer(ctx context.Context, c call, answer biller.Answer) error {
	switch verdictOn(answer, c.unknownBefore, c.biller.AnswersStoredOutcome) {
	case settle:
		return ps.endByAnswer(ctx, c, answer, Completed)
	case refund:
		// The refusal is stored before the money moves. Otherwise, after a crash
		// in between, this attempt would count as unknown, and the next refusal
		// could not refund.
		if err := ps.recordAttempt(ctx, attemptResult{answeredCall: answeredCall{c, answer}}); err != nil {
			return err
		}
		return ps.endByAnswer(ctx, c, answer, Refunded)
	case review:
		return ps.recordAttempt(ctx, attemptResult{answeredCall: answeredCall{c, answer}, retry: true, review: true})
	}
	// A payment that can't be trusted is listed for staff, and goes on by itself when
	// the right key or row is back.
	return ps.recordAttempt(ctx, attemptResult{answeredCall: answeredCall{c, answer}, retry: true, review: c.unverified != nil})
}

// pause returns the pause after an attempt, from 1, with jitter.
func (ps *Payments) pause(attempt int) time.Duration {
	pauses := ps.timing.Pauses
	pause := pauses[min(attempt, len(pauses))-1]
	return pause + time.Duration(rand.Int64N(int64(pause/5)+1)) //nolint:gosec // jitter, not a secret
}
