package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/notify/push"
	"elsom/internal/outbox"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/web/session"
)

// The parts of a browser's push address.
const (
	p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	auth   = "BTBZMqHH6r4Tts7J_aSIgg"
)

// pushed is a push service that stores what it receives.
type pushed struct {
	mu   sync.Mutex
	sent []push.Rendered
}

// Send implements push.Gateway.
func (p *pushed) Send(_ context.Context, r push.Rendered) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, r)
	return nil
}

func withNotices(t *testing.T) *testApp {
	return newAppWith(t, options{notices: true})
}

// push sends the queued push messages and returns them.
func (app *testApp) push() []push.Rendered {
	app.t.Helper()
	service := &pushed{}
	worker := app.Push.Worker(service)
	var messages []outbox.LeasedMessage
	require.NoError(app.t, app.DB.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) (err error) {
		messages, err = outbox.Acquire(ctx, tx, push.Queue, 10, time.Minute)
		return err
	}))
	for _, m := range messages {
		worker.Do(context.Background(), m)
	}
	return service.sent
}

func (b *browser) allow(endpoint string) *browser {
	b.t.Helper()
	b.open("/settings")
	return b.follow(http.MethodPost, "/settings/notices", form(b, "endpoint", endpoint, "p256dh", p256dh, "auth", auth))
}

// ends reloads the receipt until the payment has ended.
func (b *browser) ends(status string) {
	b.t.Helper()
	for range 100 {
		if b.open(b.at.Path).data("payment-status") == status {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Fatalf("the payment is %s", b.data("payment-status"))
}

// A customer with push notifications gets the outcome of their own payments. The
// text contains nothing private.
func TestNoticeOfAPayment(t *testing.T) {
	t.Parallel()
	app := withNotices(t)
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder)
	if key := b.open("/settings").page.Find("#notices-form").AttrOr("data-key", ""); key != "the public key" {
		t.Errorf("the browser is told of %q", key)
	}
	b.allow("https://push.example.net/1").wantPath("/settings").shows("Уведомления", "Отключить")
	app.browserOf(app.newCustomer(0)).allow("https://push.example.net/2")

	b.open("/pay/dostek").fill("account", company).fill("amount", "250,50").press("Далее").press("Оплатить")
	if sent := app.push(); len(sent) != 0 {
		t.Errorf("told before the end: %+v", sent)
	}
	app.startDeliveries()
	b.ends("completed")
	sent := app.push()
	if len(sent) != 1 || sent[0].Subscription.Endpoint != "https://push.example.net/1" {
		t.Fatalf("%+v", sent)
	}
	notice := sent[0].Notification
	if notice.Title != "Платёж проведён" || notice.Text != "DosTek group: 250,50 сом" {
		t.Errorf("%+v", notice)
	}
	b.open(notice.Href).shows("Платёж проведён")
	if again := app.push(); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}

	b.open("/settings").press("Отключить").wantPath("/settings")
	app.setBiller(testkit.Good, testkit.Refused(5))
	b.open("/pay/dostek").fill("account", company).fill("amount", "10").press("Далее").press("Оплатить")
	b.ends("refunded")
	if sent := app.push(); len(sent) != 0 {
		t.Errorf("told after it was switched off: %+v", sent)
	}
}

func TestNoticeOfARefund(t *testing.T) {
	t.Parallel()
	app := withNotices(t)
	b := app.browserOf(app.newCustomer(1000_00)).allow("https://push.example.net/1")
	app.setBiller(testkit.Good, testkit.Refused(5))
	b.open("/pay/dostek").fill("account", company).fill("amount", "10").press("Далее").press("Оплатить")
	app.startDeliveries()
	b.ends("refunded")
	if sent := app.push(); len(sent) != 1 || sent[0].Notification.Title != "Платёж не прошёл, деньги возвращены" {
		t.Errorf("%+v", sent)
	}
}

// A push address on an unknown host is refused with a message, another customer's
// browser is not found, and without a key there are no notifications.
func TestInvalidPushAddresses(t *testing.T) {
	t.Parallel()
	app := withNotices(t)
	b := app.browserOf(app.newCustomer(0))
	for _, endpoint := range []string{"", "http://push.example.net/1", "https://127.0.0.1/1", "https://metadata/1", "https://shop.example.net/hook", "https://push.example.net/" + strings.Repeat("x", 2000)} {
		b.allow(endpoint).wantStatus(http.StatusUnprocessableEntity).shows("Они не включены")
	}
	if n := app.count("SELECT COUNT(*) FROM push_addresses"); n != 0 {
		t.Errorf("%d are kept", n)
	}
	b.allow("https://push.example.net/1")
	id := b.page.Find("button[name=notice]").AttrOr("value", "none")
	other := app.browserOf(app.newCustomer(0)).open("/settings")
	for _, wrong := range []string{id, "", "x", "1"} {
		if answer := other.ask(http.MethodPost, "/settings/notices/end", form(other, "notice", wrong)); answer.Code != http.StatusNotFound {
			t.Errorf("%q: %d", wrong, answer.Code)
		}
	}
	silent := newApp(t)
	b = silent.browserOf(silent.newCustomer(0))
	b.allow("https://push.example.net/1").wantStatus(http.StatusNotFound)
	if b.open("/settings"); b.page.Find("#notices-form").Length() > 0 {
		t.Error("notices are offered without a key")
	}
}

// A new password ends push notifications in all browsers.
func TestNewPasswordEndsNotices(t *testing.T) {
	t.Parallel()
	app := withNotices(t)
	holder := app.newCustomer(0)
	b := app.browserOf(holder).allow("https://push.example.net/1")
	b.open("/settings").fill("old_password", password).fill("password", "совсем другой пароль").press("Сменить пароль").wantPath("/settings")
	if b.page.Find("button[name=notice]").Length() > 0 {
		t.Error("they go on")
	}
}

// Push notifications, including queued ones, end with a logout, with the end of the
// session from another browser, and with another customer's login. They don't end
// with an idle session.
func TestNoticesEndWithTheSession(t *testing.T) {
	t.Parallel()
	app := withNotices(t)
	holder := app.newCustomer(1000_00)
	phone, desk := app.browser(), app.browserOf(holder)
	leave := func() { phone.open("/settings").follow(http.MethodPost, "/logout", form(phone)) }
	app.browserOf(app.newCustomer(0)).allow("https://push.example.net/another's")
	told := func(what string, leave func()) {
		t.Helper()
		phone.open("/").logIn(holder.Phone, password)
		phone.allow("https://push.example.net/" + strings.ReplaceAll(what, " ", "-"))
		desk.open("/pay/dostek").fill("account", company).fill("amount", "10").press("Далее").press("Оплатить")
		app.startDeliveries()
		desk.ends("completed")
		leave()
		if sent := app.push(); (len(sent) > 0) != strings.HasPrefix(what, "idle") {
			t.Errorf("%s: sent %d", what, len(sent))
		}
	}
	told("logout", leave)
	told("end", func() {
		desk.open("/settings").follow(http.MethodPost, "/settings/sessions/end", form(desk, "end_password", password, "session", desk.page.Find("button[name=session]").Not("[value=others]").AttrOr("value", "")))
	})
	told("end others", func() {
		desk.open("/settings").follow(http.MethodPost, "/settings/sessions/end", form(desk, "end_password", password, "session", "others"))
	})
	told("idle", func() { app.advance(session.Idle + time.Minute) })
	if n := app.count("SELECT COUNT(*) FROM push_addresses"); n != 2 {
		t.Errorf("%d are kept", n)
	}
	phone.open("/").logIn(app.newCustomer(0).Phone, password)
	if n := app.count("SELECT COUNT(*) FROM push_addresses"); n != 1 {
		t.Errorf("another signed in there: %d are kept", n)
	}
}
