package customer

import (
	"context"
	"time"

	"elsom/internal/fault"
)

// OfferVersion is the edition of the public offer that is accepted now, named
// by the day from which it holds. A new edition is a new name; who accepted an
// older one keeps that acceptance.
const OfferVersion = "2026-11-22"

// OfferDate is the day from which the present edition holds.
func OfferDate() time.Time {
	date, err := time.ParseInLocation(time.DateOnly, OfferVersion, Bishkek)
	if err != nil {
		panic(err) // the constant above is no date
	}
	return date
}

// Acceptance is one acceptance of the public offer.
type Acceptance struct {
	Version string
	At      time.Time
	// Address is the network address it came from.
	Address string
	// Channel is where it was given: "web".
	Channel string
}

// Web is the channel of the site.
const Web = "web"

// Acceptances lists what a customer has accepted, the oldest first.
func (cs *Customers) Acceptances(ctx context.Context, id int64) ([]Acceptance, error) {
	list, err := cs.acceptances(ctx, id)
	return list, fault.Wrap("customer.acceptances", err)
}
