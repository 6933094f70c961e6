package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"elsom/internal/testkit/system"
)

// TestBackShowsCurrentState goes back in the browser's history after a payment and
// a transfer, with scripts and without: no page shows the old balance or an active
// button.
func TestBackShowsCurrentState(t *testing.T) {
	t.Parallel()
	s := system.NewSite(t, "sqlite:"+t.TempDir()+"/elsom.db", system.WithoutRateLimits)
	for _, screen := range []system.Screen{{Width: 360, Scripts: true}, {Width: 360}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			other := system.NewPerson()
			system.SignUp(t, s, system.NewClient(t, s), system.WordsOf["ru"], other)
			v, p := system.NewTab(t, s, screen), system.NewPerson()
			system.SignUp(t, s, v, system.WordsOf["ru"], p)
			s.CashIn(t, p.Phone, "1000.00")
			v.Open("/cabinet")
			system.WantAttribute(t, v, "data-balance", "100000")
			v.Open("/pay/dostek")
			v.Fill("account", p.INN)
			v.Fill("amount", "250,50")
			v.Press("Далее")
			v.Press("Оплатить")
			v.WaitAttribute("data-payment-status", "completed")
			goBack(v, "/check/")
			waitText(v, "Уже оплачено")
			if v.Offers("Оплатить") {
				t.Errorf("the check page of a completed payment has a button: %s", v.Text())
			}
			goBack(v, "/pay/dostek")
			waitText(v, "749,50")
			goBack(v, "/cabinet")
			v.WaitAttribute("data-balance", "74950")

			v.Open("/transfer")
			v.Fill("phone", other.Phone)
			v.Fill("amount", "100")
			v.Press("Далее")
			v.Press("Перевести")
			goBack(v, "/transfer/")
			waitText(v, "Уже переведено")
			if v.Offers("Перевести 100") {
				t.Errorf("the check page of a completed transfer has a button: %s", v.Text())
			}

			// A cash-in meanwhile.
			v.Open("/cabinet")
			v.Open("/services")
			s.CashIn(t, p.Phone, "50.00")
			goBack(v, "/cabinet")
			v.WaitAttribute("data-balance", "69950")
			// After logging out no page shows the wallet.
			v.Press("Выйти")
			goBack(v, "/")
			if v.Path() == "/cabinet" || strings.Contains(v.Text(), "699,50") {
				t.Errorf("after logging out Back shows %s: %s", v.Path(), v.Text())
			}
		})
	}
}

// goBack goes back in the browser's history and waits for a page at that path.
func goBack(v *system.Tab, want string) {
	v.T.Helper()
	v.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		current, entries, err := page.GetNavigationHistory().Do(ctx)
		if err != nil {
			return err
		}
		return page.NavigateToHistoryEntry(entries[current-1].ID).Do(ctx)
	}))
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		var shown bool
		if v.TryEval(&shown, `location.pathname.startsWith(%s) && document.readyState === 'complete'`, want) == nil && shown {
			return
		}
	}
	v.T.Fatalf("%s: going back doesn't lead to %s but to %s", v.Screen, want, v.Path())
}
