package transfer

import (
	"context"
	"strconv"

	"elsom/internal/customer"
	"elsom/internal/draft"
	"elsom/internal/fault"
)

const draftTable = "wallet_transfer_drafts"

// StartConfirmation sends the SMS code that confirms a draft for which Accept returns
// draft.Unconfirmed; a wallet with a PIN gets none. Errors: those of
// customer.StartOperation; NotFound; Conflict (draft.Expired).
func (ts *Transfers) StartConfirmation(ctx context.Context, c customer.Customer, id int64, from customer.Origin) error {
	return ts.withOperation(ctx, c, id, func(o customer.Operation) error {
		return ts.customers.StartOperation(ctx, c, o, from)
	})
}

// ResendConfirmation sends another code; see customer.ResendOperation.
func (ts *Transfers) ResendConfirmation(ctx context.Context, c customer.Customer, id int64, from customer.Origin) error {
	return ts.withOperation(ctx, c, id, func(o customer.Operation) error {
		return ts.customers.ResendOperation(ctx, c, o, from)
	})
}

// Confirm confirms a draft in the customer's browser session, so that Accept sends it
// there. Errors: those of customer.ConfirmOperation; NotFound; Conflict
// (draft.Expired).
func (ts *Transfers) Confirm(ctx context.Context, c customer.Customer, id int64, proof customer.Proof, from customer.Origin) error {
	return ts.withOperation(ctx, c, id, func(o customer.Operation) error {
		defer ts.drafts.Delete(id) // which has no confirmation
		return ts.confirming.Confirm(ctx, ts.customers, c, o, proof, from, id, draftTable, func() (draft.Terms, error) {
			d, err := ts.Draft(ctx, c.ID, customer.Web, id)
			return d.Terms, err
		})
	})
}

// withOperation calls do with the operation of a draft of the site that can still be
// accepted.
func (ts *Transfers) withOperation(ctx context.Context, c customer.Customer, id int64, do func(customer.Operation) error) error {
	d, err := ts.Draft(ctx, c.ID, customer.Web, id)
	if err != nil {
		return err
	}
	//mutant:drop ./web TestExpiredDraftIsNotConfirmed
	if ts.Expired(d) {
		return fault.New(fault.Conflict, "transfer.confirm", draft.Expired)
	}
	o := operation(d)
	o.Text, o.Args = "sms.transfer_code", map[string]any{"Amount": d.Total(), "Phone": d.Phone.Pretty()}
	if d.Receiver != "" {
		o.Text, o.Args["Name"] = "sms.transfer_code_named", d.Receiver
	}
	return do(o)
}

// operation returns what is confirmed of a draft.
func operation(d Draft) customer.Operation {
	return customer.Operation{
		Key: Key(d.ID), Bound: []string{strconv.FormatInt(d.ReceiverID, 10), d.Phone.String(), strconv.FormatInt(int64(d.Amount), 10)},
	}
}
