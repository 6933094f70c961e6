package customer

import (
	"context"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
)

// subject is whom an event of the security log concerns, as far as it is known.
type subject struct {
	number phone.Number
	wallet int64
}

// record records the outcome of an operation; detail is used if there is no error.
// It is deferred with a pointer to the named result, so that no return is missed.
func (cs *Customers) record(ctx context.Context, event securitylog.Event, of subject, detail string, err error) {
	if err != nil {
		detail = string(fault.As(err).Reason)
	}
	cs.o.SecurityLog.Record(ctx, securitylog.Entry{
		Kind:   securitylog.Kind{Event: event, Outcome: securitylog.OutcomeOf(err)},
		Detail: detail, Number: of.number, Wallet: of.wallet,
	})
}

// recordLimited records an operation only if a rate limit refused it.
func (cs *Customers) recordLimited(ctx context.Context, event securitylog.Event, of subject, err error) {
	if fault.Is(err, fault.TooMany) {
		cs.record(ctx, event, of, "", err)
	}
}
