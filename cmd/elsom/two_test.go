package main_test

import (
	"net/http"
	"sync"
	"testing"

	"elsom/internal/database/databasetest"
)

// Two portals on one PostgreSQL, and one impatient payer whose presses reach
// now the one, now the other: one payment.
func TestPressesOverTwoPortalsPayOnce(t *testing.T) {
	t.Parallel()
	one := newSite(t, databasetest.Addresses(t)["postgres"], withoutRateLimits)
	listen := freeAddress(t)
	two := *one
	two.base, two.env = "http://"+listen, append(two.env[:len(two.env):len(two.env)], "ELSOM_LISTEN="+listen)
	two.open(t)

	r, _ := member(t, one, "1000.00")
	inn := somebody().inn
	r.order(inn, "250,50")
	button := r.control("Оплатить")
	if button.Length() == 0 {
		t.Fatalf("no way to pay:\n%s", r.text())
	}
	action, values := r.submission(button)
	presses := make([]reader, 10)
	var all sync.WaitGroup
	for i := range presses {
		presses[i] = *r
		base := []string{one.base, two.base}[i%2]
		all.Go(func() {
			if err := presses[i].request(http.MethodPost, base+action, values); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	codes := map[string]bool{}
	for i := range presses {
		codes[presses[i].attribute("data-payment-code")] = true
	}
	if len(codes) != 1 {
		t.Errorf("ten presses made the payments %v", codes)
	}
	last := &presses[len(presses)-1]
	last.wait("data-payment-status", "completed")
	if got := one.companyBalance(t, inn); got != 25050 {
		t.Errorf("the company has %d", got)
	}
	last.open("/cabinet")
	see(t, last, "data-balance", "74950")
	var payments int
	books := databasetest.Reopen(t, one.database)
	if err := books.Pool().QueryRow("SELECT COUNT(*) FROM payments").Scan(&payments); err != nil || payments != 1 {
		t.Errorf("%d payments, %v", payments, err)
	}
	one.audit(t)
}
