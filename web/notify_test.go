package web_test

import (
	"strings"
	"testing"

	"elsom/internal/testkit/require"
)

// choose ticks a box, or takes the tick away.
func (b *browser) choose(field string, on bool) *browser {
	b.t.Helper()
	return b.fill(field, map[bool]string{true: "on"}[on])
}

// Each message goes where its customer has chosen, the receipt as PDF; security and codes
// are not offered.
func TestChosenMessages(t *testing.T) {
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, box := newAppWith(t, options{newDB: newDB, mail: true, notices: true}), &postbox{}
			app.startDeliveries()
			holder, other := app.newCustomer(500_00), app.newCustomer(500_00)
			app.confirmEmail(holder)
			b := app.browserOf(holder).open("/settings").press("О чём сообщать").wantPath("/settings/messages").shows("всегда")
			if n := b.page.Find("table input").Length(); n != 15 {
				t.Errorf("%d boxes", n)
			}
			for _, kind := range []string{"topped_up", "payment_completed", "payment_refunded", "transfer_sent", "transfer_received"} {
				b.choose(kind+"_email", true).choose(kind+"_sms", false)
			}
			b.fill("password", password).press("Сохранить").wantPath("/settings").shows("Сохранено")
			if texts := app.messages(holder.Phone); !strings.Contains(texts[0], "о чём Вам сообщать") {
				t.Errorf("SMS: %q", texts)
			}
			chosen, err := app.Customers.ByID(t.Context(), holder.ID)
			require.NoError(t, err)
			holder.Notices, holder.EmailConfirmed = chosen.Notices, chosen.EmailConfirmed
			sms := len(app.messages(holder.Phone))
			app.deposit(holder, 100_00)
			require.NoError(t, app.transfer(holder, other, "10"))
			require.NoError(t, app.transfer(other, holder, "5"))
			b.draft(company, "20").press("Оплатить").waitEnded()
			if now := app.messages(holder.Phone); len(now) != sms {
				t.Errorf("SMS: %q", now)
			}
			if texts := app.messages(other.Phone); len(texts) != 3 {
				t.Errorf("SMS to the other: %q", texts)
			}
			var subjects []string
			files := 0
			for _, m := range app.post(box) {
				subjects, files = append(subjects, line(m.Subject)), files+len(m.Files)
				if m.To != email || m.HTML == "" {
					t.Errorf("sent %+v", m)
				}
			}
			all := strings.Join(subjects, "; ")
			for _, want := range []string{"в новом браузере", "пополнен на 100,00 сом", "Перевод выполнен: 10,00 сом", "Вам пришёл перевод: 5,00 сом", "Квитанция: DosTek group, 20,00 сом"} {
				if !strings.Contains(all, want) {
					t.Errorf("no %q: %s", want, all)
				}
			}
			if len(subjects) != 5 || files != 1 {
				t.Errorf("%d e-mails, %d files", len(subjects), files)
			}
			app.wantAudit()
		})
	}
}

// A thief with a session can't silence the SMS about what leaves the wallet.
func TestSwitchingSMSOffNeedsThePassword(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	b := app.browserOf(holder).open("/settings/messages").choose("payment_completed_sms", false)
	b.press("Сохранить").wantStatus(422).wantErrors(map[string]string{"password": "Введите пароль"})
	if _, on := b.page.Find(`input[name="payment_completed_sms"]`).Attr("checked"); on {
		t.Error("what was chosen is lost")
	}
	b.fill("password", password+"?").press("Сохранить").wantStatus(422).wantErrors(map[string]string{"password": "не подходит"})
	if n := app.count("SELECT COUNT(*) FROM customers WHERE notices <> 0"); n != 0 {
		t.Fatal("switched off without the password")
	}
	b.fill("password", password).press("Сохранить").wantPath("/settings")
	if n := app.count("SELECT COUNT(*) FROM customers WHERE notices <> 0"); n != 1 {
		t.Error("not switched off")
	}
	if texts := app.messages(holder.Phone); len(texts) != 1 {
		t.Errorf("SMS: %q", texts)
	}
	b.open("/settings/messages").press("Сохранить").wantPath("/settings") // nothing has changed
	b.open("/settings/messages").choose("payment_completed_sms", true).press("Сохранить").wantPath("/settings").shows("Сохранено")
}
