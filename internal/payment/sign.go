package payment

import (
	"context"
	"errors"
	"time"

	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/signature"
)

// Record returns the canonical form of the columns that never change after a payment
// is accepted. It is stored in signatures and in the log, so it never changes.
func (p Payment) Record() *signature.Record {
	return signature.NewRecord(signature.Payment, p.ID).
		Int(p.CustomerID).Text(p.Service).Text(p.Biller).Text(p.Identifier).Text(p.Payee).
		Int(int64(p.Amount)).Int(int64(p.Fee)).Text(p.TxnID).Text(p.Code).Text(string(p.Channel)).Time(p.AcceptedAt)
}

// Record returns the canonical form of a draft, which its signature covers: all that the
// payment gets from it.
func (d Draft) Record() *signature.Record {
	return d.Terms.Record(signature.PaymentDraft).
		Int(d.CustomerID).Text(d.Service).Text(d.Biller).Text(d.Identifier).Text(d.Payee).
		Int(int64(d.Amount)).Int(int64(d.Fee)).Text(d.TxnID)
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

var (
	errEndedInBooks = errors.New("the books have its second transfer: its state was set back")
	errNotInBooks   = errors.New("the books don't have its first transfer")
	errOtherPosting = errors.New("its first transfer has other amounts or accounts")
)

// verifyInBooks returns the reason why a processing payment that readWithBooks read can't
// be trusted, or nil: its row and its first transfer must be as they were signed, the
// transfer must be the payment's, and there must be no second one, because the state is
// not signed.
func (p Payment) verifyInBooks(ctx context.Context, tx *database.Tx) error {
	if err := p.verify(ctx, tx); err != nil {
		return err
	}
	//mutant:drop TestPaymentSetBackIsNotDelivered
	if p.endedInBooks {
		return errEndedInBooks
	}
	//mutant:drop TestPaymentWithoutItsMoneyIsNotDelivered
	if p.accepted == nil {
		return errNotInBooks
	}
	//mutant:drop TestPaymentWithoutItsMoneyIsNotDelivered
	if !p.accepted.isOf(p) {
		return errOtherPosting
	}
	//mutant:replace p.accepted.verify(ctx, tx) => nil TestPaymentWithoutItsMoneyIsNotDelivered
	return p.accepted.verify(ctx, tx)
}

// acceptance is a payment's first transfer as it is stored.
type acceptance struct {
	id       int64
	posting  ledger.Posting
	hash     string
	postedAt time.Time
	mac      []byte
	keyID    string
	transit  map[int64]string // the billers of its accounts of funds in transit
}

// isOf reports whether the transfer moves a payment's total from its wallet to its
// biller's funds in transit. The transfer may name no subject, as those of an earlier
// release.
func (a *acceptance) isOf(p Payment) bool {
	if a.posting.Op != acceptOp || a.posting.Subject != subject(p.ID) && a.posting.Subject != (ledger.Subject{}) || len(a.posting.Entries) != 2 {
		return false
	}
	var debited, credited bool
	for _, e := range a.posting.Entries {
		billerCode, isTransit := a.transit[e.Account]
		debited = debited || e.Account == p.CustomerID && e.Amount == -p.Total()
		credited = credited || isTransit && billerCode == p.Biller && e.Amount == p.Total()
	}
	return debited && credited
}

func (a *acceptance) verify(ctx context.Context, tx *database.Tx) error {
	return tx.Verify(ctx, ledger.TransferRecord(a.id, a.posting, a.hash, a.postedAt), a.mac, a.keyID)
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
