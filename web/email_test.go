package web_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	mailing "elsom/internal/notify/email"
	"elsom/internal/outbox"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// postbox is a mail server that keeps what it accepts.
type postbox struct {
	got  []mailing.Rendered
	down bool
}

func (p *postbox) Send(_ context.Context, r mailing.Rendered) error {
	if p.down {
		return errors.New("the server is down")
	}
	p.got = append(p.got, r)
	return nil
}

// post sends the e-mails that are due.
func (app *testApp) post(to *postbox) []mailing.Rendered {
	app.t.Helper()
	ctx, p := context.Background(), app.handlers.Portal
	worker := mailing.NewWorker(app.DB, to, mailing.Options{Sealer: app.Letters, HTML: p.LetterHTML, Receipt: p.ReceiptLetter})
	var messages []outbox.LeasedMessage
	require.NoError(app.t, app.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		messages, err = outbox.Acquire(ctx, tx, worker.Queue, 100, time.Minute)
		return err
	}))
	before := len(to.got)
	for _, m := range messages {
		worker.Do(ctx, m)
	}
	return to.got[before:]
}

var mailCode = regexp.MustCompile(`\n\n(\d{6})\n\n`)

// mailedCode sends the e-mails and returns the code in the last one.
func (app *testApp) mailedCode(to *postbox) string {
	app.t.Helper()
	list := app.post(to)
	if len(list) == 0 {
		app.t.Fatal("no e-mail")
	}
	found := mailCode.FindStringSubmatch(list[len(list)-1].Text)
	if found == nil {
		app.t.Fatalf("no code in %q", list[len(list)-1].Text)
	}
	return found[1]
}

func (app *testApp) confirmEmail(holder customer.Customer) {
	app.t.Helper()
	app.exec("UPDATE customers SET email_confirmed_at = created_at WHERE id = $1", holder.ID)
}

// The address is confirmed by the code that was sent to it; a new address is not confirmed
// until its code is typed.
func TestEmailIsConfirmed(t *testing.T) {
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, box := newAppWith(t, options{newDB: newDB, mail: true}), &postbox{}
			holder := app.newCustomer(0)
			b := app.browserOf(holder).open("/settings").press("Подтвердите почту").wantPath("/settings/email/confirm").shows(email)
			b.press("Отправить код").wantPath("/settings/email/confirm").shows("Новый код отправлен", "Код отправлен на")
			code := app.mailedCode(box)
			if m := box.got[0]; m.To != email || !strings.Contains(m.HTML, `<p class="code">`+code) || !strings.Contains(m.HTML, `lang="ru"`) || strings.Contains(m.Text+m.HTML, holder.Phone.String()) {
				t.Errorf("sent %+v", m)
			}
			b.press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "Введите код из письма"})
			b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
			b.press("Отправить ещё раз").wantStatus(429).shows("Слишком много попыток")
			thief := app.browserOf(app.newCustomer(0)).open("/settings/email/confirm")
			thief.ask(http.MethodPost, "/settings/email/confirm", form(thief, "code", code))
			if n := app.count("SELECT COUNT(*) FROM customers WHERE email_confirmed_at IS NOT NULL"); n != 0 {
				t.Fatal("another wallet has confirmed its address")
			}
			b.open("/settings/email/confirm").fill("code", code).press("Подтвердить").wantPath("/settings").shows("Почта подтверждена")
			if b.control("Подтвердите почту").Length() > 0 {
				t.Error("it is asked for again")
			}
			b.open("/settings/email/confirm").wantPath("/settings")
			b.open("/settings/email").fill("email", "novaya@pochta.kg").fill("password", password).press("Изменить почту").
				wantPath("/settings/email/confirm").shows("novaya@pochta.kg")
			code = app.mailedCode(box)
			if old, fresh := box.got[1], box.got[2]; old.To != email || fresh.To != "novaya@pochta.kg" || !strings.Contains(old.Text, "n•••@pochta.kg") {
				t.Errorf("sent %+v", box.got[1:])
			}
			b.open("/settings").press("Подтвердите почту").fill("code", code).press("Подтвердить").wantPath("/settings").shows("novaya@pochta.kg")
			if lines := logged.lines(code); len(lines) > 0 {
				t.Errorf("logged: %s", lines[0])
			}
		})
	}
}

// The receipt goes to the confirmed address as text, HTML and PDF, also after the mail
// server was down; an address that isn't confirmed is confirmed on the way.
func TestReceiptByEmail(t *testing.T) {
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, box := newAppWith(t, options{newDB: newDB, mail: true}), &postbox{}
			hostile := testkit.Good
			hostile.Name = "ОсОО <b>«Жаңы Өмүр»</b>\r\nBcc: thief@example.kg"
			app.setBiller(hostile, testkit.Good)
			app.startDeliveries()
			_, b := app.paidReceipt("250,50")
			receipt := b.at.Path
			b.press("Отправить на почту").wantPath("/settings/email/confirm").press("Отправить код")
			b.fill("code", app.mailedCode(box)).press("Подтвердить").wantPath(receipt).shows("квитанция отправлена")
			box.down = true
			if app.post(box); len(box.got) != 1 {
				t.Fatalf("sent %+v", box.got)
			}
			box.down = false
			app.advance(3 * time.Second)
			list := app.post(box)
			if len(list) != 1 {
				t.Fatalf("sent %d", len(list))
			}
			m, code := list[0], b.data("payment-code")
			if m.To != email || !strings.HasPrefix(line(m.Subject), "Квитанция: DosTek group, 250,50 сом") || strings.Contains(m.Subject, "\n") {
				t.Errorf("to %s: %q", m.To, m.Subject)
			}
			if len(m.Files) != 1 || m.Files[0].Name != "receipt-"+code+".pdf" || !bytes.HasPrefix(m.Files[0].Content, []byte("%PDF-")) {
				t.Errorf("%d files", len(m.Files))
			}
			if !strings.Contains(m.Text, "Жаңы Өмүр") || strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "&lt;b&gt;") || !strings.Contains(m.HTML, "250,50") {
				t.Errorf("text %s\nHTML %s", m.Text, m.HTML)
			}
			if app.advance(5 * time.Minute); len(app.post(box)) != 0 {
				t.Error("sent again")
			}
			other := app.browserOf(app.newCustomer(0)).open("/cabinet")
			if answer := other.ask(http.MethodPost, receipt+"/email", form(other)); answer.Code != http.StatusNotFound {
				t.Errorf("another wallet: %d", answer.Code)
			}
			app.setBiller(testkit.Good, testkit.NoAnswer)
			b.draft(company, "50").press("Оплатить")
			if b.control("Отправить на почту").Length() > 0 {
				t.Error("a payment that is processing has a receipt to send")
			}
			if answer := b.ask(http.MethodPost, b.at.Path+"/email", form(b)); answer.Code != http.StatusNotFound {
				t.Errorf("processing: %d", answer.Code)
			}
		})
	}
}

// An address that was changed after the button was pressed gets nothing until it is
// confirmed.
func TestReceiptGoesToConfirmedAddressOnly(t *testing.T) {
	t.Parallel()
	app, box := newAppWith(t, options{mail: true}), &postbox{}
	app.startDeliveries()
	holder, b := app.paidReceipt("250,50")
	app.confirmEmail(holder)
	b.open(b.at.Path).press("Отправить на почту").shows("Квитанция отправлена")
	app.exec("UPDATE customers SET email = 'thief@example.kg' WHERE id = $1", holder.ID)
	if list := app.post(box); len(list) != 0 {
		t.Errorf("sent to %s", list[0].To)
	}
	if n := app.count("SELECT COUNT(*) FROM promises WHERE lane = 'email' AND state = 'open'"); n != 0 {
		t.Errorf("%d wait", n)
	}
	off := newApp(t) // without a mail server
	off.startDeliveries()
	_, b = off.paidReceipt("250,50")
	if b.control("Отправить на почту").Length() > 0 || b.open("/settings").control("Подтвердите почту").Length() > 0 {
		t.Error("without a mail server e-mails are offered")
	}
	b.open("/settings/email/confirm").wantPath("/settings")
}

func TestReceiptsByEmailAreLimited(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{mail: true}) // the rate limits are off; these are always applied
	app.startDeliveries()
	holder, b := app.paidReceipt("250,50")
	app.confirmEmail(holder)
	receipt := b.at.Path
	for range 3 {
		b.open(receipt).press("Отправить на почту").wantPath(receipt).shows("Квитанция отправлена")
	}
	b.press("Отправить на почту").wantStatus(429).shows("Слишком много попыток", "Платёж проведён")
	b.open(receipt + "/email").wantStatus(200).shows("Платёж проведён")
	for range 6 { // other receipts of the day: 20 in all
		b.draft(company, "10").press("Оплатить").waitEnded()
		for range 3 {
			b.press("Отправить на почту")
		}
	}
	b.wantStatus(429)
	if n := app.count("SELECT COUNT(*) FROM promises WHERE lane = 'email'"); n != 20 {
		t.Errorf("%d e-mails", n)
	}
}
