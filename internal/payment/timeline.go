package payment

import (
	"context"
	"math"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/money"
	"elsom/internal/operatorlog"
)

// Timeline is all that is stored about a payment, for staff. It has the payer's
// identifier at the biller.
type Timeline struct {
	Payment
	Attempts  []Attempt
	Decisions []Decision
	// Claim is nil unless the biller booked the payment after its refund.
	Claim     *ClaimMade
	Transfers []PostedTransfer
	// Unverified says why the payment is not as it was signed; nil also without keys.
	Unverified error
}

// Attempt is one call to the biller.
type Attempt struct {
	Number    int
	StartedAt time.Time
	EndedAt   time.Time // zero: no answer was stored
	Outcome   string    // empty: unknown, because no answer was stored; "unverified": unknown, because it is not as it was signed
	Result    int       // the biller's result; biller.ResultNone without one
	Reference string
	Remark    string
}

// ClaimMade is when a claim was stored, with the biller's reference.
type ClaimMade struct {
	MadeAt    time.Time
	Reference string
}

// PostedTransfer is a transfer of the payment in the books.
type PostedTransfer struct {
	ID       int64
	Op       string
	PostedAt time.Time
	Entries  []PostedEntry
}

// PostedEntry is a line of a transfer.
type PostedEntry struct {
	Account string // kind and subject, such as "transit dostek"
	Amount  money.Amount
}

// Show returns the timeline of the payment with a code, for staff; fault.NotFound for
// an unknown code.
func (ps *Payments) Show(ctx context.Context, code string) (Timeline, error) {
	const op = "payment.show"
	p, err := readByCode(ctx, ps.db, input.Digits(code))
	if err != nil {
		return Timeline{}, fault.Wrap(op, err)
	}
	t := Timeline{Payment: p}
	mac, keyID := p.Signature()
	t.Unverified = ps.db.Verify(ctx, p.Record(), mac, keyID)
	if t.Attempts, err = listAttempts(ctx, ps.db, p.ID); err != nil {
		return t, fault.Wrap(op, err)
	}
	if t.Decisions, err = decisions(ctx, ps.db, []int64{p.ID}); err != nil {
		return t, fault.Wrap(op, err)
	}
	if err = addUsers(ctx, ps.db, p.Code, t.Decisions); err != nil {
		return t, fault.Wrap(op, err)
	}
	if t.Claim, err = readClaim(ctx, ps.db, p.ID); err != nil {
		return t, fault.Wrap(op, err)
	}
	t.Transfers, err = listTransfers(ctx, ps.db, p.ID)
	return t, fault.Wrap(op, err)
}

// addUsers sets the users of the machine who made decisions, as the operator log has
// them.
func addUsers(ctx context.Context, db *database.DB, code string, decisions []Decision) error {
	entries, _, err := operatorlog.List(ctx, db, operatorlog.Filter{Subject: "payment " + code, Command: "payment decide"}, math.MaxInt)
	for i, d := range decisions {
		for _, e := range entries {
			if decisions[i].OSUser == "" && strings.EqualFold(e.Staff, d.Staff) {
				decisions[i].OSUser = e.OSUser
			}
		}
	}
	return err
}

// ByOneUser returns the user of the machine who made the same decision under two names;
// empty if there is none.
func (t Timeline) ByOneUser() string {
	for i, a := range t.Decisions {
		for _, b := range t.Decisions[:i] {
			if a.OSUser != "" && a.OSUser == b.OSUser && a.Decision == b.Decision {
				return a.OSUser
			}
		}
	}
	return ""
}
