// Package draft has the common part of drafts of payments and transfers: their
// lifetime, and the checks before one is accepted.
//
// A draft is a payment or transfer as the customer was shown it before accepting.
// It never changes, and is accepted at most once: its id is part of the ledger's
// request key. Its terms are signed, and verified whenever they are read.
package draft

import (
	"context"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/signature"
)

// Reasons of CheckAcceptable. Further ones are those of customer.CheckHold, and
// customer.PINOwed.
const (
	Expired fault.Reason = "payment.draft_expired"
	Blocked fault.Reason = "payment.blocked"
	// Unconfirmed is the reason of CheckConfirmed.
	Unconfirmed fault.Reason = "payment.unconfirmed"
)

// Remembered is the number of drafts that a process keeps in memory to accept them without
// reading them, at most: some 10 MB.
const Remembered = 20_000

// Terms are the fields that drafts of payments and transfers share.
type Terms struct {
	ID        int64
	Channel   customer.Channel
	MadeAt    time.Time
	ExpiresAt time.Time
	// ConfirmedBy is the confirmation by the PIN or an SMS code, which says in which
	// browser session the draft was confirmed, and for what; empty: none. See
	// customer.Confirmation.
	ConfirmedBy string
	// MAC and KeyID are the signature of all terms but ConfirmedBy, which is made with the
	// server's secret. MAC is nil without keys.
	MAC   []byte `gorm:"column:mac"`
	KeyID string
}

// Begin sets the id and the times of a draft that is inserted in tx.
func (t *Terms) Begin(tx *database.Tx, lifetime time.Duration) {
	t.ID, t.MadeAt = tx.NewID(), tx.Now()
	t.ExpiresAt = t.MadeAt.Add(lifetime)
}

// Record returns the canonical form of the shared terms, to which the caller adds its own
// for Sign and Verify. ConfirmedBy isn't part of it.
func (t Terms) Record(kind signature.Kind) *signature.Record {
	return signature.NewRecord(kind, t.ID).Text(string(t.Channel)).Time(t.MadeAt).Time(t.ExpiresAt)
}

// Sign signs a draft that is inserted in tx. The signature is not queued for the log:
// what is accepted is signed again as a payment or transfer. It releases r.
func (t *Terms) Sign(tx *database.Tx, r *signature.Record) {
	t.MAC, t.KeyID = tx.MAC(r)
	r.Release()
}

// Verify returns fault.Unavailable for a stored draft that is not as it was signed: the
// customer was shown other terms. It releases r.
func (t Terms) Verify(ctx context.Context, db *database.DB, r *signature.Record) error {
	defer r.Release()
	return db.Verify(ctx, r, t.MAC, t.KeyID)
}

// Expired reports whether the draft is too old to be accepted.
func (t Terms) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// CheckShown returns fault.NotFound unless customerID is the owner and the draft
// was shown on this channel. A draft can't be accepted on another channel, because
// each channel asks for the PIN in its own way.
func (t Terms) CheckShown(op string, owner, customerID int64, channel customer.Channel) error {
	//mutant:replace || t.Channel != channel => ./web TestDraftsOfOtherChannelsAreNotFound
	//mutant:replace owner != customerID || t.Channel => t.Channel ./internal/payment TestAcceptRejectsOthers
	//mutant:replace owner != customerID || t.Channel => t.Channel ./internal/transfer TestAcceptRefuses
	if owner != customerID || t.Channel != channel {
		return fault.New(fault.NotFound, op, "")
	}
	return nil
}

// CheckAcceptable returns an error if a draft can't be accepted for a reason other
// than the balance and the limits, in this order: it is expired (Conflict); the
// customer is blocked or on hold (Forbidden); the error of own, the caller's
// checks; the site requires the PIN (Forbidden, customer.PINOwed). The PIN comes
// last, so that it is asked for only if nothing else prevents acceptance.
func (t Terms) CheckAcceptable(op string, c customer.Customer, now time.Time, own func() error) error {
	//mutant:drop ./internal/payment TestAcceptRefuses
	//mutant:drop ./internal/transfer TestAcceptRefuses
	if t.Expired(now) {
		return fault.New(fault.Conflict, op, Expired)
	}
	//mutant:drop ./internal/transfer TestAcceptRefuses
	if c.Blocked {
		return fault.New(fault.Forbidden, op, Blocked)
	}
	//mutant:drop ./internal/payment TestAcceptRefuses
	//mutant:drop ./internal/transfer TestAcceptRefuses
	if err := customer.CheckHold(c, now); err != nil {
		return err
	}
	if err := own(); err != nil {
		return err
	}
	//mutant:negate ./web TestOneWalletForAllChannels
	//mutant:replace t.Channel != customer.USSD => t.Channel == "" ./internal/transfer TestAcceptRefuses
	if t.Channel != customer.USSD {
		//mutant:replace customer.CheckPINOwed(c) => nil ./web TestResetRequiresPIN
		return customer.CheckPINOwed(c)
	}
	return nil
}

// CheckConfirmed returns fault.Forbidden with Unconfirmed unless this browser session
// has confirmed the draft (customer.IsConfirmed, which confirmed calls), or the draft
// needs no confirmation: its total is not above the amount from which the level requires
// one (0: none), and the browser is known. *900# asks for the PIN before each operation
// instead.
func (t Terms) CheckConfirmed(op string, by customer.Browser, total, above money.Amount, confirmed func() bool) error {
	//mutant:replace t.Channel == customer.USSD => t.Channel == "" ./web/ussd TestPINFromSMS
	if t.Channel == customer.USSD {
		return nil
	}
	//mutant:replace by.Known && => ./web TestStrangeBrowserConfirms
	//mutant:replace total <= above => true ./web TestLargeSumIsConfirmed
	if by.Known && (above == 0 || total <= above) {
		return nil
	}
	//mutant:replace confirmed() => true ./web TestStrangeBrowserConfirms
	if t.ConfirmedBy != "" && confirmed() {
		return nil
	}
	return fault.New(fault.Forbidden, op, Unconfirmed)
}

// purgeAfter is how long an expired draft is kept, so that the check page can
// offer its values again.
const purgeAfter = 24 * time.Hour

// Purge deletes the drafts of a table that expired a day ago, and returns their
// number. They were made before that, so they are in a range of the primary key; it
// has no others but those of one lifetime.
func Purge(ctx context.Context, db *database.DB, table string) (int64, error) {
	before := db.Now().Add(-purgeAfter)
	//mutant:replace AND expires_at < ? => AND expires_at <> ? TestPurge
	return db.Purge(ctx, "DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+" WHERE id < ? AND expires_at < ? ORDER BY id LIMIT ?)",
		database.FirstID(before), database.StoredTime(before))
}
