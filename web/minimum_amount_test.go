package web_test

import (
	"testing"
)

// A payment or transfer causes SMS, so its minimum is one som, inclusive.
func TestAmountsBelowMinimumAreRefused(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			app := newAppWith(t, options{newDB: newDB})
			holder, to := app.newCustomer(100_00), app.newCustomer(0)
			b := app.browserOf(holder)
			before := app.counts()
			for _, amount := range []string{"0,01", "0,99"} {
				b.draft(company, amount).wantStatus(422).wantErrors(map[string]string{"amount": "Наименьшая сумма платежа за эту услугу: 1,00 сом."})
				b.open("/transfer").fill("phone", to.Phone.String()).fill("amount", amount).press("Далее").wantStatus(422).
					wantErrors(map[string]string{"amount": "Наименьшая сумма перевода: 1,00 сом."})
			}
			app.wantUnchanged("sums below the minimum", before)
			b.draft(company, "1").shows("Оплатить 1,00 сом")
			b.open("/transfer").fill("phone", to.Phone.String()).fill("amount", "1").press("Далее").shows("Перевести 1,00 сом")
		})
	}
}
