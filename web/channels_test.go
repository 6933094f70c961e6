package web_test

import (
	"net/http"
	"strconv"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// A draft made in *900# can only be accepted there, where the PIN is required.
func TestDraftsOfOtherChannelsAreNotFound(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, other := app.newCustomer(1000_00), app.newCustomer(0)
	require.NoError(t, app.Customers.SetPIN(t.Context(), holder, password, ownPIN))
	b := app.browser().open("/reset").fill("phone", holder.Phone.String()).press("Получить код").wantPath("/reset/confirm")
	b.fill("code", app.code(holder.Phone)).fill("password", "совсем другой пароль").press("Сохранить пароль").wantPath("/cabinet")
	now, err := app.Customers.ByID(t.Context(), holder.ID)
	require.NoError(t, err)
	if !now.PINOwed {
		t.Fatal("the PIN isn't owed: nothing is shown")
	}
	dialed, err := app.Payments.Quote(t.Context(), now, payment.Order{
		Service: "dostek", Identifier: company, Amount: "250", Channel: customer.USSD, Address: holder.Phone.String(),
	})
	require.NoError(t, err)
	transfer, err := app.Transfers.Quote(t.Context(), now, transfer.Order{
		Phone: other.Phone.String(), Amount: "300", Channel: customer.USSD,
	})
	require.NoError(t, err)
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
	app.wantBalance(now, 1000_00)
}
