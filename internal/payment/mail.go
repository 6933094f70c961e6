package payment

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
	"elsom/internal/outbox"
	"elsom/internal/ratelimit"
)

// Limits of receipts that a customer asks for by e-mail: of one payment, and of all.
var (
	receiptMails = ratelimit.Rule{Name: "receipts by e-mail of a payment", Limit: 3, Window: 24 * time.Hour, Always: true}
	//mutant:replace Limit: 20, => Limit: 200, ./web TestReceiptsByEmailAreLimited
	walletMails = ratelimit.Rule{Name: "receipts by e-mail of a wallet", Limit: 20, Window: 24 * time.Hour, Always: true}
)

// MailReceipt sends the receipt of a customer's payment to the customer's confirmed e-mail
// address.
//
// Errors: NotFound; Conflict "payment.receipt_processing" while the payment is processing;
// Forbidden customer.EmailUnconfirmed; TooMany.
func (ps *Payments) MailReceipt(ctx context.Context, c customer.Customer, id int64) error {
	const op = "payment.mail"
	p, err := ps.ByID(ctx, c.ID, id)
	if err != nil {
		return err
	}
	if p.State == Processing {
		return fault.New(fault.Conflict, op, "payment.receipt_processing")
	}
	//mutant:drop ./web TestReceiptByEmail
	if !c.EmailConfirmed {
		return fault.New(fault.Forbidden, op, customer.EmailUnconfirmed)
	}
	//mutant:drop ./web TestReceiptsByEmailAreLimited
	if err := ps.counters.Take(ctx, receiptMails, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	if err := ps.counters.Take(ctx, walletMails, strconv.FormatInt(c.ID, 10)); err != nil {
		return err
	}
	err = ps.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		return outbox.Add(ctx, tx, email.ReceiptMessage(fmt.Sprintf("receipt:%d:%d", id, tx.NewID()), c.ID, id))
	})
	if err == nil {
		ps.notifier.Notify(email.Queue)
	}
	return fault.Wrap(op, err)
}
