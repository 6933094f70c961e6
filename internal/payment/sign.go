package payment

import (
	"context"
	"errors"
	"time"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// Record returns the canonical form of the columns that never change after a payment
// is accepted. It is stored in signatures and in the log, so it never changes.
func (p Payment) Record() *signature.Record {
	return signature.NewRecord(signature.Payment, p.ID).
		Int(p.CustomerID).Text(p.Service).Text(p.Biller).Text(p.Identifier).Text(p.Payee).
		Int(int64(p.Amount)).Int(int64(p.Fee)).Text(p.TxnID).Text(p.Code).Text(string(p.Channel)).Time(p.AcceptedAt)
}

// Signature returns the signature of a stored payment; nil if it has none.
func (p Payment) Signature() (mac []byte, keyID string) {
	if p.mac == "" {
		return nil, p.keyID
	}
	return []byte(p.mac), p.keyID
}

// verify returns an error unless a payment that the transaction read is as it was
// signed. What the signature covers never changes, and decides where the money goes.
func (p Payment) verify(ctx context.Context, tx *database.Tx) error {
	mac, keyID := p.Signature()
	return tx.Verify(ctx, p.Record(), mac, keyID)
}

var errEndedInBooks = errors.New("the books have its second transfer: its state was set back")

var errOtherBiller = errors.New("its delivery is in the queue of another biller")

// verifyOpen returns the reason why a processing payment must not be delivered to a
// biller, or nil. The state and the delivery's queue are not signed, so they are compared
// with the books and with the payment.
func (p Payment) verifyOpen(ctx context.Context, tx *database.Tx, billerCode string) error {
	//mutant:drop TestDeliveryInTheQueueOfAnotherBiller
	if p.Biller != billerCode {
		logOf(p).ErrorContext(ctx, "payment: not delivered", "queue", billerCode, "error", errOtherBiller)
		return errOtherBiller
	}
	//mutant:drop TestPaymentSetBackIsNotDelivered
	if p.endedInBooks {
		logOf(p).ErrorContext(ctx, "payment: not delivered", "error", errEndedInBooks)
		return errEndedInBooks
	}
	return p.verify(ctx, tx)
}

// SignedDecision is what the signature of a decision covers: its row.
type SignedDecision struct {
	ID        int64
	PaymentID int64
	Staff     string
	Decision  string
	Reason    string
	Evidence  string
	MadeAt    time.Time
}

// Record returns the canonical form of a decision. It is stored in signatures and in the
// log, so it never changes.
func (d SignedDecision) Record() *signature.Record {
	return signature.NewRecord(signature.Decision, d.ID).
		Int(d.PaymentID).Text(d.Staff).Text(d.Decision).Text(d.Reason).Text(d.Evidence).Time(d.MadeAt)
}

// SignedClaim is what the signature of a claim covers: its row.
type SignedClaim struct {
	PaymentID int64
	Reference string
	MadeAt    time.Time
}

// Record returns the canonical form of a claim. It is stored in signatures and in the
// log, so it never changes.
func (c SignedClaim) Record() *signature.Record {
	return signature.NewRecord(signature.Claim, c.PaymentID).Text(c.Reference).Time(c.MadeAt)
}
