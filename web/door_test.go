package web_test

import (
	"net/http"
	"strconv"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/payment"
	"elsom/internal/transfer"
)

// A draft that *900# showed is accepted there, by the PIN, and not on the site,
// where whoever holds the number could do without it.
func TestDraftsOfAnotherDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, other := h.holder(1000_00), h.holder(0)
	must(t, h.customers.SetPIN(t.Context(), who.ID, password, ownPIN))
	b := h.browser().open("/reset").fill("phone", who.Phone.String()).press("Получить код").isAt("/reset/confirm")
	b.fill("code", h.code(who.Phone)).fill("password", "совсем другой пароль").press("Сохранить пароль").isAt("/cabinet")
	now, err := h.customers.ByID(t.Context(), who.ID)
	must(t, err)
	if !now.PINOwed {
		t.Fatal("the PIN isn't owed: nothing is shown")
	}
	dialed, err := h.payments.Quote(t.Context(), now, payment.Order{
		Service: "dostek", Identifier: company, Amount: "250", Channel: customer.USSD, Address: who.Phone.String(),
	})
	must(t, err)
	transfer, err := h.transfers.Quote(t.Context(), now, transfer.Order{
		Phone: other.Phone.String(), Amount: "300", Channel: customer.USSD,
	})
	must(t, err)
	b.draft(company, "1")
	_, values := b.paying()
	values.Del("pin")
	for _, path := range []string{"/check/" + strconv.FormatInt(dialed.ID, 10), "/transfer/" + strconv.FormatInt(transfer.ID, 10)} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if answer := b.ask(method, path, values); answer.Code != http.StatusNotFound {
				t.Errorf("%s of a draft of *900#: %d", method, answer.Code)
			}
		}
	}
	h.holds(now, 1000_00)
}
