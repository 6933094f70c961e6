package customer

import (
	"context"
	"time"

	"elsom/internal/fault"
)

// OfferVersion is the current edition of the public offer; its text is among the
// pages. A new edition gets a new version; earlier acceptances stay.
const OfferVersion = "1.2"

// Acceptance is one acceptance of the public offer.
type Acceptance struct {
	Version string
	At      time.Time
	// Address is the network address of the request, or the gateway's code.
	Address string
	Channel Channel
}

// Acceptances returns what a customer has accepted, the oldest first.
func (cs *Customers) Acceptances(ctx context.Context, id int64) ([]Acceptance, error) {
	list, err := cs.acceptances(ctx, id)
	return list, fault.Wrap("customer.acceptances", err)
}
