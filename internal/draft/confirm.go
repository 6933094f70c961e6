package draft

import (
	"context"
	"sync"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// Confirming serializes the confirmations of a draft in this process, so that a form
// that was sent twice doesn't use up the tries at the PIN or code. The zero value is
// ready to use.
type Confirming struct {
	mu     sync.Mutex
	drafts map[int64]*confirming
}

type confirming struct {
	sync.Mutex
	users int
}

// lock locks a draft until unlock.
func (cg *Confirming) lock(id int64) (unlock func()) {
	cg.mu.Lock()
	if cg.drafts == nil {
		cg.drafts = map[int64]*confirming{}
	}
	one := cg.drafts[id]
	if one == nil {
		one = &confirming{}
		cg.drafts[id] = one
	}
	one.users++
	cg.mu.Unlock()
	one.Lock()
	return func() {
		one.Unlock()
		cg.mu.Lock()
		defer cg.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(cg.drafts, id)
		}
	}
}

// Confirm confirms a draft with the customer's proof. read returns the draft's terms
// as stored now; table has the draft.
//
// A draft that this session has confirmed before stays so, whatever the proof.
// Errors: those of read; Conflict (Expired); those of customer.ConfirmOperation.
func (cg *Confirming) Confirm(ctx context.Context, customers *customer.Customers, c customer.Customer, o customer.Operation,
	proof customer.Proof, from customer.Origin, id int64, table string, read func() (Terms, error),
) error {
	const op = "draft.confirm"
	unlock := cg.lock(id)
	defer unlock()
	confirmed := func() (bool, error) {
		terms, err := read()
		return err == nil && customers.IsConfirmed(terms.ConfirmedBy, c, o), err
	}
	if done, err := confirmed(); done || err != nil {
		return err
	}
	err := customers.ConfirmOperation(ctx, c, o, proof, from, func(tx *database.Tx) error {
		return storeConfirmed(tx, table, id, customers.Confirmation(c, o))
	})
	if err == nil {
		return nil
	}
	// Another process may have confirmed it with the same proof.
	if done, readErr := confirmed(); readErr == nil && done {
		return nil
	}
	return fault.Wrap(op, err)
}
