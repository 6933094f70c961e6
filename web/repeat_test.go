package web_test

import (
	"testing"

	"elsom/internal/biller"
	"elsom/internal/testkit"
)

// TestOnlyCompletedPaymentsAreOfferedAgain checks the pages that offer to repeat a
// payment, in each of its states.
func TestOnlyCompletedPaymentsAreOfferedAgain(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newAppWith(t, options{newDB: newDB})
			b := app.browserOf(app.newCustomer(1000_00))
			// repeats checks which pages offer to repeat the payment of the current
			// receipt.
			repeats := func(state string, cabinet, receipt, form bool) {
				t.Helper()
				at := b.at.Path
				id := at[len("/receipt/"):]
				links := func() bool { return b.page.Find(`main a[href*="repeat=`+id+`"]`).Length() > 0 }
				for page, want := range map[string]bool{at: receipt, "/cabinet": cabinet, "/history": false} {
					if b.open(page); links() != want {
						t.Errorf("%s: %s offers it: %v", state, page, !want)
					}
				}
				if b.open("/pay/dostek?repeat=" + id); (b.value("account") != "") != form {
					t.Errorf("%s: the form is filled with %q", state, b.value("account"))
				}
				b.open(at)
			}
			app.setBiller(testkit.Good, testkit.NoAnswer)
			app.startDeliveries()
			b.draft(company, "100").press("Оплатить").shows("Платёж обрабатывается")
			repeats("processing", false, false, false)
			app.setBiller(testkit.Good, testkit.Good)
			b.waitEnded().shows("Платёж проведён")
			repeats("completed", true, true, true)

			// A payment in processing for the same account hides an earlier one.
			app.setBiller(testkit.Good, testkit.NoAnswer)
			b.draft(company, "30").press("Оплатить").shows("Платёж обрабатывается")
			second := b.at.Path
			if b.open("/cabinet"); b.page.Find(`main a[href*="repeat="]`).Length() > 0 {
				t.Error("the cabinet offers the account of a payment in processing")
			}
			app.setBiller(testkit.Good, testkit.Good)
			b.open(second).waitEnded()

			app.setBiller(testkit.Good, biller.Answer{Outcome: biller.Refused, Result: 5})
			b.draft("00207199610025", "50").press("Оплатить").waitEnded().shows("деньги возвращены")
			repeats("refunded", false, true, true)
		})
	}
}
