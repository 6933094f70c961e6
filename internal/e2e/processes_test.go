package e2e_test

import (
	"net/http"
	"sync"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// «Оплатить» is sent ten times to two portals on one PostgreSQL: one payment.
func TestPressesOverTwoPortalsPayOnce(t *testing.T) {
	t.Parallel()
	one := system.NewSite(t, databasetest.Addresses(t)["postgres"], system.WithoutRateLimits)
	listen := system.FreeAddress(t)
	two := *one
	two.BaseURL, two.Env = "http://"+listen, append(two.Env[:len(two.Env):len(two.Env)], "ELSOM_LISTEN="+listen)
	two.Start(t)

	r, _ := system.NewMember(t, one, "1000.00")
	inn := system.NewPerson().INN
	r.OrderPayment(inn, "250,50")
	button := r.Control("Оплатить")
	if button.Length() == 0 {
		t.Fatalf("no «Оплатить»:\n%s", r.Text())
	}
	action, values := r.Submission(button)
	presses := make([]system.Client, 10)
	var all sync.WaitGroup
	for i := range presses {
		presses[i] = *r
		base := []string{one.BaseURL, two.BaseURL}[i%2]
		all.Go(func() {
			if err := presses[i].Request(http.MethodPost, base+action, values); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	codes := map[string]bool{}
	for i := range presses {
		codes[presses[i].Attribute("data-payment-code")] = true
	}
	if len(codes) != 1 {
		t.Errorf("ten submissions made the payments %v", codes)
	}
	last := &presses[len(presses)-1]
	last.WaitAttribute("data-payment-status", "completed")
	if got := one.CompanyBalance(t, inn); got != 25050 {
		t.Errorf("the company has %d", got)
	}
	last.Open("/cabinet")
	system.WantAttribute(t, last, "data-balance", "74950")
	var payments int
	books := databasetest.Reopen(t, one.Database)
	if err := books.Pool().QueryRow("SELECT COUNT(*) FROM payments").Scan(&payments); err != nil || payments != 1 {
		t.Errorf("%d payments, %v", payments, err)
	}
	one.Audit(t)
}
