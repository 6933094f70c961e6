package payment

import (
	"context"
	"strconv"

	"elsom/internal/customer"
	"elsom/internal/draft"
	"elsom/internal/fault"
)

const draftTable = "drafts"

// StartConfirmation sends the SMS code that confirms a draft for which Accept returns
// draft.Unconfirmed; a wallet with a PIN gets none. Errors: those of
// customer.StartOperation; NotFound; Conflict (draft.Expired).
func (ps *Payments) StartConfirmation(ctx context.Context, c customer.Customer, id int64, from customer.Origin) error {
	return ps.withOperation(ctx, c, id, func(o customer.Operation) error {
		return ps.customers.StartOperation(ctx, c, o, from)
	})
}

// ResendConfirmation sends another code; see customer.ResendOperation.
func (ps *Payments) ResendConfirmation(ctx context.Context, c customer.Customer, id int64, from customer.Origin) error {
	return ps.withOperation(ctx, c, id, func(o customer.Operation) error {
		return ps.customers.ResendOperation(ctx, c, o, from)
	})
}

// Confirm confirms a draft in the customer's browser session, so that Accept pays it
// there. Errors: those of customer.ConfirmOperation; NotFound; Conflict
// (draft.Expired).
func (ps *Payments) Confirm(ctx context.Context, c customer.Customer, id int64, proof customer.Proof, from customer.Origin) error {
	return ps.withOperation(ctx, c, id, func(o customer.Operation) error {
		defer ps.drafts.Delete(id) // which has no confirmation
		return ps.confirming.Confirm(ctx, ps.customers, c, o, proof, from, id, draftTable, func() (draft.Terms, error) {
			d, err := ps.Draft(ctx, c.ID, customer.Web, id)
			return d.Terms, err
		})
	})
}

// withOperation calls do with the operation of a draft of the site that can still be
// accepted.
func (ps *Payments) withOperation(ctx context.Context, c customer.Customer, id int64, do func(customer.Operation) error) error {
	d, err := ps.Draft(ctx, c.ID, customer.Web, id)
	if err != nil {
		return err
	}
	//mutant:drop ./web TestExpiredDraftIsNotConfirmed
	if ps.Expired(d) {
		return fault.New(fault.Conflict, "payment.confirm", draft.Expired)
	}
	service, err := ps.catalog.ServiceOfRecord(ctx, d.Service)
	if err != nil {
		return err
	}
	o := operation(d)
	o.Text, o.Args = "sms.payment_code", map[string]any{"Amount": d.Total(), "Service": service.Name.In(c.Lang), "Account": d.Identifier}
	return do(o)
}

// operation returns what is confirmed of a draft.
func operation(d Draft) customer.Operation {
	return customer.Operation{
		Key:   PINKey(d.ID),
		Bound: []string{d.Service, d.Biller, d.Identifier, strconv.FormatInt(int64(d.Amount), 10), strconv.FormatInt(int64(d.Fee), 10), d.TxnID},
	}
}
