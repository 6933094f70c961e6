package web_test

import (
	"context"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// waysToPay are functions that accept a payment or transfer and return the form's
// address.
var waysToPay = map[string]func(b *browser, holder, other customer.Customer) (form string){
	"the check page": func(b *browser, _, _ customer.Customer) string {
		b.draft(company, "100").press("Оплатить")
		return "/pay/dostek"
	},
	"a changed fee": func(b *browser, _, _ customer.Customer) string {
		b.draft(company, "100")
		b.app.changeCatalog("    fee: none\n", "    fee: {fixed: \"7\"}\n")
		b.press("Оплатить").wantStatus(422).shows("Комиссия изменилась").press("Оплатить 107,00")
		return "/pay/dostek"
	},
	"another tab": func(b *browser, _, _ customer.Customer) string {
		b.draft(company, "100")
		tab := b.app.browser()
		tab.jar = b.jar
		tab.open("/cabinet").draft(company, "100")
		b.press("Оплатить")
		return "/pay/dostek"
	},
	"*900#": func(b *browser, holder, _ customer.Customer) string {
		b.draft(company, "100")
		draft, err := b.app.Payments.Quote(context.Background(), holder, payment.Order{
			Service: "dostek", Identifier: company, Amount: "100", Channel: customer.USSD, Address: holder.Phone.String(),
		})
		require.NoError(b.t, err)
		_, err = b.app.Payments.Accept(context.Background(), holder, customer.USSD, draft.ID)
		require.NoError(b.t, err)
		return "/pay/dostek"
	},
	"too little money, then the check page": func(b *browser, _, _ customer.Customer) string {
		b.draft(company, "100")
		tab := b.app.browser()
		tab.jar = b.jar
		tab.open("/cabinet").draft(company, "99999").wantStatus(422)
		b.press("Оплатить")
		return "/pay/dostek"
	},
	"back to the form, and on": func(b *browser, _, _ customer.Customer) string {
		b.draft(company, "100").press("Назад")
		form := b.at.RequestURI()
		check := b.page.Find("form#pay").Length()
		if check != 1 || b.value("amount") != "100,00" {
			b.t.Errorf("«Назад» lost what was typed: %q", b.value("amount"))
		}
		b.open("/check/" + form[len("/pay/dostek?draft="):]).press("Оплатить")
		return form
	},
	"a transfer": func(b *browser, _, other customer.Customer) string {
		b.sending(other, "100").press("Перевести 100")
		return "/transfer"
	},
	"a transfer in another tab": func(b *browser, _, other customer.Customer) string {
		b.sending(other, "100")
		tab := b.app.browser()
		tab.jar = b.jar
		tab.open("/cabinet").sending(other, "100")
		b.press("Перевести 100")
		return "/transfer"
	},
	"a transfer by *900#": func(b *browser, holder, other customer.Customer) string {
		b.sending(other, "100")
		draft, err := b.app.Transfers.Quote(context.Background(), holder, transfer.Order{
			Phone: other.Phone.String(), Amount: "100", Channel: customer.USSD,
		})
		require.NoError(b.t, err)
		_, err = b.app.Transfers.Accept(context.Background(), holder, customer.USSD, draft.ID)
		require.NoError(b.t, err)
		return "/transfer"
	},
}

// TestFormIsEmptyAfterPaying opens the form after a payment or transfer by each of
// waysToPay: the form is not filled with the paid values.
func TestFormIsEmptyAfterPaying(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		for path, pay := range waysToPay {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				app := newAppWith(t, options{newDB: newDB})
				holder, other := app.newCustomer(1000_00), app.newCustomer(0)
				b := app.browserOf(holder)
				form := pay(b, holder, other)
				b.open(form).wantStatus(200)
				to := "account"
				if form == "/transfer" {
					to = "phone"
				}
				if b.value(to) != "" || b.value("amount") != "" {
					t.Errorf("%s is filled with %q and %q", form, b.value(to), b.value("amount"))
				}
				// Values typed from now on are kept.
				if to == "account" {
					b.open("/pay/dostek").fill("account", company).fill("amount", "5").press("Далее").open("/pay/dostek")
				} else {
					b.open("/transfer").fill("phone", other.Phone.String()).fill("amount", "5").press("Далее").open("/transfer")
				}
				if b.value(to) == "" || b.value("amount") != "5,00" {
					t.Errorf("a new draft is not kept: %q and %q", b.value(to), b.value("amount"))
				}
			})
		}
	}
}
