package web_test

import "testing"

// A payment or transfer costs an SMS or two, so that the shipped catalog and
// transfers begin at one som. The boundary itself is taken.
func TestSumsBelowTheMinimumAreRefused(t *testing.T) {
	t.Parallel()
	for name, on := range databases {
		t.Run(name, func(t *testing.T) {
			h := houseWith(t, setting{on: on})
			who, to := h.holder(100_00), h.holder(0)
			b := h.as(who)
			before := h.books()
			for _, amount := range []string{"0,01", "0,99"} {
				b.draft(company, amount).answered(422).wrongAt(map[string]string{"amount": "Наименьшая сумма платежа за эту услугу: 1,00 сом."})
				b.open("/transfer").fill("phone", to.Phone.String()).fill("amount", amount).press("Далее").answered(422).
					wrongAt(map[string]string{"amount": "Наименьшая сумма перевода: 1,00 сом."})
			}
			h.unchanged("sums below the minimum", before)
			b.draft(company, "1").says("Оплатить 1,00 сом")
			b.open("/transfer").fill("phone", to.Phone.String()).fill("amount", "1").press("Далее").says("Перевести 1,00 сом")
		})
	}
}
