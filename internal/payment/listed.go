package payment

import (
	"context"

	"elsom/internal/customer"
	"elsom/internal/fault"
)

// AcceptListed is Accept for a draft of the site that is a line of a list. The customer has
// confirmed the list as a whole, which its caller has verified, in a session that may have
// ended since; c is the customer as read now, without a session.
//
// A draft is accepted once, whether by Accept or AcceptListed.
func (ps *Payments) AcceptListed(ctx context.Context, c customer.Customer, id int64) (accepted Accepted, err error) {
	defer func() { err = ps.db.UnknownIfPending(err) }()
	found, err := ps.accepting.Do(ctx, id)
	if err != nil {
		return Accepted{}, fault.Wrap("payment.draft", err)
	}
	if found == nil || found.Accepted {
		before, err := ps.ByID(ctx, c.ID, id)
		return Accepted{Payment: before, AlreadyAccepted: err == nil}, err
	}
	draft := found.Draft
	//mutant:drop TestForgedListedDraftIsRefused
	if err := draft.Verify(ctx, ps.db, draft.Record()); err != nil {
		return Accepted{}, fault.Wrap("payment.draft", err)
	}
	if err := draft.CheckShown("payment.draft", draft.CustomerID, c.ID, customer.Web); err != nil {
		return Accepted{}, err
	}
	level, err := ps.checkTerms(ctx, c, draft)
	if err != nil {
		return Accepted{}, err
	}
	return ps.post(ctx, c, draft, level)
}
