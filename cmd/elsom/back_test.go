package main_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestBackShowsTheStateOfNow goes back through the browser's history after a
// payment and a transfer, with scripts and without: no page that comes back
// shows the balance of before or a live button.
func TestBackShowsTheStateOfNow(t *testing.T) {
	t.Parallel()
	s := newSite(t, "sqlite:"+t.TempDir()+"/elsom.db", withoutRateLimits)
	for _, screen := range []screen{{width: 360, scripts: true}, {width: 360}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			other := somebody()
			signUp(t, s, newReader(t, s), wordsOf["ru"], other)
			v, p := newSurfer(t, s, screen), somebody()
			signUp(t, s, v, wordsOf["ru"], p)
			s.fill(t, p.phone, "1000.00")
			v.open("/cabinet")
			see(t, v, "data-balance", "100000")
			v.open("/pay/dostek")
			v.fill("account", p.inn)
			v.fill("amount", "250,50")
			v.press("Далее")
			v.press("Оплатить")
			v.wait("data-payment-status", "completed")
			v.back("/check/")
			v.says("Уже оплачено")
			if v.offers("Оплатить") {
				t.Errorf("the check page of what was paid can be pressed: %s", v.text())
			}
			v.back("/pay/dostek")
			v.says("749,50")
			v.back("/cabinet")
			v.wait("data-balance", "74950")

			v.open("/transfer")
			v.fill("phone", other.phone)
			v.fill("amount", "100")
			v.press("Далее")
			v.press("Перевести")
			v.back("/transfer/")
			v.says("Уже переведено")
			if v.offers("Перевести 100") {
				t.Errorf("the check page of what was sent can be pressed: %s", v.text())
			}

			// Cash that came in meanwhile.
			v.open("/cabinet")
			v.open("/services")
			s.fill(t, p.phone, "50.00")
			v.back("/cabinet")
			v.wait("data-balance", "69950")
			// A wallet that was left shows nothing.
			v.press("Выйти")
			v.back("/")
			if v.path() == "/cabinet" || strings.Contains(v.text(), "699,50") {
				t.Errorf("after logging out Back shows %s: %s", v.path(), v.text())
			}
		})
	}
}

// back goes one step back in the browser's history, as its button does, and
// waits until a page of that address is shown.
func (v *surfer) back(want string) {
	v.t.Helper()
	v.run(chromedp.ActionFunc(func(ctx context.Context) error {
		current, entries, err := page.GetNavigationHistory().Do(ctx)
		if err != nil {
			return err
		}
		return page.NavigateToHistoryEntry(entries[current-1].ID).Do(ctx)
	}))
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		var shown bool
		if v.try(&shown, `location.pathname.startsWith(%s) && document.readyState === 'complete'`, want) == nil && shown {
			return
		}
	}
	v.t.Fatalf("%s: going back doesn't lead to %s but to %s", v.screen, want, v.path())
}
