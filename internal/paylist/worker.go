package paylist

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/outbox"
	"elsom/internal/payment"
)

// Queue is the outbox queue of lists that are to be checked or paid.
const Queue = "payment lists"

const (
	// portion is how many lines are checked or paid for one lease.
	portion = 12
	// checksAtOnce is how many lines of a list are checked at once.
	checksAtOnce = 4
	// lease exceeds what a portion takes: each check ends after three seconds. After a crash
	// a list waits for its end.
	lease = 30 * time.Second
	// retryPause is the pause after a portion that could not be worked on; it grows with the
	// attempts up to maxPause.
	retryPause = time.Second
	maxPause   = 30 * time.Second
	// checkTries is how often the check of a list is tried.
	checkTries = 200
)

// work is the payload of a message.
type work struct {
	List int64 `json:"list"`
}

func messageKey(list int64, state State) string {
	return strconv.FormatInt(list, 10) + ":" + string(state)
}

// Worker returns the worker that checks and pays lists. It may run in several processes.
func (ls *Lists) Worker() outbox.Worker {
	return outbox.Worker{Queue: Queue, Concurrency: 4, Lease: lease, Do: ls.do}
}

// do works on a portion of a list, and queues the rest again.
func (ls *Lists) do(ctx context.Context, m outbox.LeasedMessage) {
	ctx, cancel := context.WithTimeout(ctx, lease-5*time.Second)
	defer cancel()
	var about work
	ended, err := false, m.Read(&about)
	if err == nil {
		ended, err = ls.portion(ctx, about.List, m.Attempts)
	}
	at := ls.parts.DB.Now()
	if err != nil {
		slog.WarnContext(ctx, "paylist: postponed", "list", about.List, "error", err)
		at = at.Add(min(time.Duration(m.Attempts)*retryPause, maxPause))
	}
	err = ls.parts.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if ended {
			return outbox.Complete(ctx, tx, m)
		}
		return outbox.Postpone(ctx, tx, outbox.Postponement{Message: m, At: at})
	})
	if err != nil { // its lease ends
		slog.WarnContext(ctx, "paylist: recording failed", "list", about.List, "error", err)
	}
	if !ended {
		ls.parts.Notifier.Notify(Queue)
	}
}

// portion works on the next lines of a list. It reports whether nothing is left to do.
func (ls *Lists) portion(ctx context.Context, id int64, tries int) (ended bool, err error) {
	l, err := ls.read(ctx, id)
	if err != nil || l == nil { // purged
		return l == nil && err == nil, err
	}
	c, err := ls.parts.Customers.ByID(ctx, l.CustomerID)
	if err != nil {
		return false, err
	}
	switch l.State {
	case Checking:
		return ls.checkPortion(ctx, c, *l, tries)
	case Paying:
		return ls.payPortion(ctx, c, *l)
	}
	return true, nil
}

// next returns the first lines in a state, up to a portion, and the number of all.
func (l List) next(state LineState) (lines []Line, all int) {
	for _, one := range l.Lines {
		if one.State != state {
			continue
		}
		if all++; len(lines) < portion {
			lines = append(lines, one)
		}
	}
	return lines, all
}

func (ls *Lists) checkPortion(ctx context.Context, c customer.Customer, l List, tries int) (bool, error) {
	lines, all := l.next(Waiting)
	var checks sync.WaitGroup
	free, errs := make(chan struct{}, checksAtOnce), make([]error, len(lines))
	for i := range lines {
		free <- struct{}{}
		checks.Go(func() {
			defer func() { <-free }()
			errs[i] = ls.checkLine(ctx, c, l, lines[i], tries)
		})
	}
	checks.Wait()
	if err := fault.Join(errs...); err != nil {
		return false, err
	}
	if len(lines) < all {
		return false, nil
	}
	return true, ls.setState(ctx, l.ID, Checking, Ready)
}

// checkLine makes the draft of a line, or stores why there is none.
func (ls *Lists) checkLine(ctx context.Context, c customer.Customer, l List, line Line, tries int) error {
	d, err := ls.parts.Payments.Quote(ctx, c, payment.Order{
		Service: l.Service, Identifier: line.Account, Amount: line.Sum, Channel: customer.Web, Listed: true,
	})
	switch {
	case err == nil:
		line.State, line.DraftID = Good, d.ID
		line.Identifier, line.Payee, line.Amount, line.Fee = d.Identifier, d.Payee, d.Amount, d.Fee
	case final(err) || tries >= checkTries:
		line.refuse(err)
	default:
		return err
	}
	return ls.store(ctx, l.ID, Waiting, line)
}

// payPortion accepts the payments of the next lines.
func (ls *Lists) payPortion(ctx context.Context, c customer.Customer, l List) (bool, error) {
	lines, all := l.next(Good)
	stopped := ls.stopped(c, l)
	for _, line := range lines {
		if err := ls.payLine(ctx, c, l.ID, line, stopped); err != nil {
			return false, err
		}
	}
	if len(lines) < all {
		return false, nil
	}
	return true, ls.setState(ctx, l.ID, Paying, Done)
}

// stopped returns why nothing of a list is paid: its customer has not confirmed these
// drafts, or has ended all sessions since.
func (ls *Lists) stopped(c customer.Customer, l List) error {
	confirmer := c
	confirmer.Browser.Session = l.SessionKey
	//mutant:replace !ls.parts.Customers.IsConfirmed(l.ConfirmedBy, confirmer, l.operation()) => false TestForgedListPaysNothing
	//mutant:replace || c.SessionEpoch != l.Epoch => TestListStopsWithAllSessions
	if !ls.parts.Customers.IsConfirmed(l.ConfirmedBy, confirmer, l.operation()) || c.SessionEpoch != l.Epoch {
		return fault.New(fault.Forbidden, acceptOp, "paylist.stopped")
	}
	return nil
}

// payLine accepts the payment of a line and stores its state. After an interruption
// between the two it is accepted already.
func (ls *Lists) payLine(ctx context.Context, c customer.Customer, list int64, line Line, stopped error) error {
	err := stopped
	if err == nil {
		_, err = ls.parts.Payments.AcceptListed(ctx, c, line.DraftID)
	}
	switch {
	case err == nil:
		line.State = Paid
	case final(err):
		line.refuse(err)
		line.State = Failed
	default:
		return err
	}
	return ls.store(ctx, list, Good, line)
}

// final reports whether an error of a line is the same when it is tried again.
func final(err error) bool {
	for _, f := range fault.All(err) {
		switch f.Kind {
		case fault.Invalid, fault.NotFound, fault.Forbidden, fault.Conflict, fault.Insufficient, fault.Limit:
		default:
			return false
		}
	}
	return true
}

func (ls *Lists) store(ctx context.Context, list int64, before LineState, line Line) error {
	return ls.parts.DB.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return updateLine(tx, list, before, line) })
}

func (ls *Lists) setState(ctx context.Context, list int64, from, to State) error {
	return ls.parts.DB.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return updateState(tx, list, from, to) })
}
