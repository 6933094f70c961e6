package portal_test

import (
	"testing"

	"elsom/internal/customer"
	page "elsom/templates/page"
)

// Who accepts the offer accepts the edition that the page shows.
func TestOfferShownIsTheOneAccepted(t *testing.T) {
	if shown := page.CurrentOffer().Version; shown != customer.OfferVersion {
		t.Errorf("the page shows edition %s, %s is kept", shown, customer.OfferVersion)
	}
}
