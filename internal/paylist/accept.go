package paylist

import (
	"context"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/draft"
	"elsom/internal/fault"
	"elsom/internal/limit"
	"elsom/internal/outbox"
)

const acceptOp = "paylist.accept"

// Judge returns an error if the money doesn't suffice for the whole list: those of
// limit.CheckSeveral.
func (ls *Lists) Judge(ctx context.Context, c customer.Customer, l List) error {
	return ls.limits.CheckSeveral(ctx, acceptOp, c, l.Totals(Good))
}

// Accept queues the payments of a list that is ready, in one commit; it waits for none of
// them. A list is accepted once, however often Accept is called.
//
// A refusal leaves the list as it is: NotFound, Conflict (draft.Expired, "paylist.not_ready",
// "paylist.nothing"), Forbidden (block, hold, customer.PINOwed, draft.Unconfirmed: Confirm
// it first; customer.SessionEnded), Insufficient and Limit (Judge). After Unknown call again.
func (ls *Lists) Accept(ctx context.Context, c customer.Customer, id int64) error {
	l, err := ls.ByID(ctx, c.ID, id)
	if err != nil {
		return err
	}
	if l.State == Paying || l.State == Done {
		return nil
	}
	level, err := ls.checkAcceptable(ctx, c, l)
	if err != nil {
		return err
	}
	o := l.operation()
	err = l.CheckConfirmed(acceptOp, c.Browser, l.Total(), level.ConfirmAbove, func() bool {
		return ls.parts.Customers.IsConfirmed(l.ConfirmedBy, c, o)
	})
	if err != nil {
		return err
	}
	l.ConfirmedBy, l.SessionKey, l.Epoch = ls.parts.Customers.Confirmation(c, o), c.Browser.Session, c.SessionEpoch
	err = ls.parts.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		now, err := customer.ReadStatus(tx, []customer.Customer{c})
		if err != nil {
			return err
		}
		//mutant:drop TestListOfASessionThatEnded
		if !now.SignedIn(c, tx.Now()) || now.Of(c.ID).Blocked {
			return fault.New(fault.Forbidden, acceptOp, customer.SessionEnded)
		}
		accepted, err := updateAccepted(tx, l)
		if err != nil || !accepted { // another request has
			return err
		}
		return outbox.Add(ctx, tx, outbox.Message{Queue: Queue, Key: messageKey(id, Paying), Payload: work{id}})
	})
	if err != nil {
		return fault.Wrap(acceptOp, err)
	}
	ls.parts.Notifier.Notify(Queue)
	return nil
}

// checkAcceptable returns the level of the customer, or an error if the list can't be paid
// for another reason than that it isn't confirmed.
func (ls *Lists) checkAcceptable(ctx context.Context, c customer.Customer, l List) (catalog.Level, error) {
	//mutant:drop TestListIsAcceptedWhenItIsReady
	if l.State != Ready {
		return catalog.Level{}, fault.New(fault.Conflict, acceptOp, "paylist.not_ready")
	}
	err := l.CheckAcceptable(acceptOp, c, ls.parts.DB.Now(), func() error {
		if l.Count(Good) == 0 {
			return fault.New(fault.Conflict, acceptOp, "paylist.nothing")
		}
		return ls.Judge(ctx, c, l)
	})
	if err != nil {
		return catalog.Level{}, err
	}
	return limit.LevelOf(ctx, ls.parts.DB, ls.parts.Catalog, c)
}

// StartConfirmation sends the SMS code for Confirm; see customer.StartOperation.
func (ls *Lists) StartConfirmation(ctx context.Context, c customer.Customer, id int64, from customer.Origin) error {
	return ls.withOperation(ctx, c, id, func(o customer.Operation) error { return ls.parts.Customers.StartOperation(ctx, c, o, from) })
}

// ResendConfirmation sends another code; see customer.ResendOperation.
func (ls *Lists) ResendConfirmation(ctx context.Context, c customer.Customer, id int64, from customer.Origin) error {
	return ls.withOperation(ctx, c, id, func(o customer.Operation) error { return ls.parts.Customers.ResendOperation(ctx, c, o, from) })
}

// Confirm confirms a list in the customer's browser session, so that Accept pays it there.
// Errors: those of customer.ConfirmOperation; NotFound; Conflict (draft.Expired).
func (ls *Lists) Confirm(ctx context.Context, c customer.Customer, id int64, proof customer.Proof, from customer.Origin) error {
	return ls.withOperation(ctx, c, id, func(o customer.Operation) error {
		return ls.confirming.Confirm(ctx, ls.parts.Customers, c, o, proof, from, id, listTable, func() (draft.Terms, error) {
			l, err := ls.ByID(ctx, c.ID, id)
			return l.Terms, err
		})
	})
}

// withOperation calls do with the operation of a list that can still be accepted.
func (ls *Lists) withOperation(ctx context.Context, c customer.Customer, id int64, do func(customer.Operation) error) error {
	l, err := ls.ByID(ctx, c.ID, id)
	if err != nil {
		return err
	}
	if l.State != Ready || ls.Expired(l) {
		return fault.New(fault.Conflict, acceptOp, draft.Expired)
	}
	service, err := ls.parts.Catalog.ServiceOfRecord(ctx, l.Service)
	if err != nil {
		return err
	}
	o := l.operation()
	o.Text, o.Args = "sms.list_code", map[string]any{"Amount": l.Total(), "Service": service.Name.In(c.Lang), "Lines": l.Count(Good)}
	return do(o)
}
