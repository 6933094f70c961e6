package customer

import (
	"context"
	"time"

	"elsom/internal/fault"
)

// OfferVersion is the edition of the public offer that is accepted now; its
// text stands with the pages. A new edition is a new name; who accepted an
// older one keeps that acceptance.
const OfferVersion = "1.2"

// Acceptance is one acceptance of the public offer.
type Acceptance struct {
	Version string
	At      time.Time
	// Address is the network address it came from.
	Address string
	Channel Channel
}

// Acceptances lists what a customer has accepted, the oldest first.
func (cs *Customers) Acceptances(ctx context.Context, id int64) ([]Acceptance, error) {
	list, err := cs.acceptances(ctx, id)
	return list, fault.Wrap("customer.acceptances", err)
}
