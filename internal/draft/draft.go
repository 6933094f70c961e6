// Package draft holds what drafts of payments and transfers have in common: how
// long they live, whose they are, and when they may be accepted.
//
// A draft is what a customer was shown before money moves. It never changes, and
// is accepted at most once: its id is part of the ledger's request key.
package draft

import (
	"context"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// The reasons for which no draft of a customer is accepted. Those of
// customer.CheckHold and customer.PINOwed come beside them.
const (
	Expired fault.Reason = "payment.draft_expired"
	Blocked fault.Reason = "payment.blocked"
)

// Terms are the part of a draft that doesn't depend on what it pays.
type Terms struct {
	ID        int64
	Channel   customer.Channel
	MadeAt    time.Time
	ExpiresAt time.Time
}

// Begin sets the id and the times of a draft that is inserted in tx.
func (t *Terms) Begin(tx *database.Tx, life time.Duration) {
	t.ID, t.MadeAt = tx.NewID(), tx.Now()
	t.ExpiresAt = t.MadeAt.Add(life)
}

// Expired reports whether the draft is too old to be accepted.
func (t Terms) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// CheckShown returns fault.NotFound unless customerID is the owner and saw the
// draft on this channel. What one channel showed, another doesn't accept: each
// asks for the PIN in its own way.
func (t Terms) CheckShown(op string, owner, customerID int64, channel customer.Channel) error {
	//mutant:replace || t.Channel != channel => ./web TestDraftsOfOtherChannelsAreNotFound
	//mutant:replace owner != customerID || t.Channel => t.Channel ./internal/payment TestAcceptRejectsOthers
	//mutant:replace owner != customerID || t.Channel => t.Channel ./internal/transfer TestAcceptRefuses
	if owner != customerID || t.Channel != channel {
		return fault.New(fault.NotFound, op, "")
	}
	return nil
}

// CheckAcceptable returns what stands against accepting a draft, besides the
// balance and the limits: it is expired (Conflict), the customer is blocked or on
// hold (Forbidden); then what own returns; last, the site requires the PIN
// (Forbidden, customer.PINOwed). The PIN comes last, so that a payer who gives it
// can pay.
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
		return customer.CheckPINOwed(c)
	}
	return nil
}

// purgeAfter is how long an expired draft is kept: the check page can offer its
// values again.
const purgeAfter = 24 * time.Hour

// Purge deletes the drafts of a table that expired a day ago, and returns their
// number.
func Purge(ctx context.Context, db *database.DB, table string) (int64, error) {
	return db.Purge(ctx, "DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+" WHERE expires_at < ? LIMIT ?)",
		database.StoredTime(db.Now().Add(-purgeAfter)))
}
