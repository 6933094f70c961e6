package payment

import (
	"context"
	"errors"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// attemptResult is the result of a call to be stored while the payment is still
// processing.
type attemptResult struct {
	answeredCall
	retry  bool // postpone the delivery
	review bool // list the payment for staff
}

// recordAttempt stores the result of a call; concurrent ones share a transaction.
func (ps *Payments) recordAttempt(ctx context.Context, r attemptResult) error {
	failed, err := ps.recording.Do(ctx, r)
	if err != nil {
		return err
	}
	return failed
}

func (ps *Payments) recordAttempts(ctx context.Context, rows []attemptResult) error {
	attempts := make([]answeredCall, len(rows))
	var later []postponement
	var asked []int64
	for i, r := range rows {
		attempts[i] = r.answeredCall
		if r.retry {
			later = append(later, ps.later(r.call))
		}
		if r.review {
			asked = append(asked, r.call.payment.ID)
		}
	}
	err := ps.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := storeOutcomes(tx, attempts); err != nil {
			return err
		}
		if err := markForReview(tx, asked); err != nil {
			return err
		}
		return postpone(tx, later)
	})
	if errors.Is(err, database.ErrRowCount) && len(rows) == 1 {
		return ps.recordAgain(ctx, rows[0])
	}
	return err
}

// later returns when a call is to be repeated.
func (ps *Payments) later(c call) postponement {
	return postponement{payment: leased{ID: c.payment.ID, Lease: c.lease}, at: ps.db.Now().Add(ps.pause(c.attempt.Number))}
}

// recordAgain stores the result of a call whose attempt has an outcome: that of an earlier
// try, whose commit was lost, or one that something else has stored. In the second case
// the payment is listed for staff, is repeated, and the error is errForeignOutcome: a
// refusal that is not stored must not refund.
func (ps *Payments) recordAgain(ctx context.Context, r attemptResult) error {
	var foreign []answeredCall
	err := ps.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		if foreign, err = storeOutcomesOnce(ctx, tx, []answeredCall{r.answeredCall}); err != nil {
			return err
		}
		if r.review || len(foreign) > 0 {
			if err := markForReview(tx, []int64{r.call.payment.ID}); err != nil {
				return err
			}
		}
		if !r.retry && len(foreign) == 0 {
			return nil
		}
		return postpone(tx, []postponement{ps.later(r.call)})
	})
	warnOfForeign(ctx, foreign)
	//mutant:drop TestForgedOutcomeOfARunningCall
	if err == nil && len(foreign) > 0 {
		return errForeignOutcome
	}
	return err
}

func (ps *Payments) readHolders(ctx context.Context, ids []int64) ([]*customer.Customer, error) {
	list, err := customer.ByIDs(ctx, ps.db, ids)
	if err != nil {
		return nil, err
	}
	return database.AlignRows(ids, list, func(c customer.Customer) int64 { return c.ID }), nil
}

func (ps *Payments) holderOf(ctx context.Context, e ending) (customer.Customer, error) {
	if e.holder != nil {
		return *e.holder, nil
	}
	c, err := ps.holders.Do(ctx, e.payment.CustomerID)
	if err == nil && c == nil {
		err = fault.New(fault.NotFound, "payment.holder", "")
	}
	if err != nil {
		return customer.Customer{}, err
	}
	return *c, nil
}
