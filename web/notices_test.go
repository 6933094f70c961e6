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
	"elsom/web/session"
)

// The parts of an address as a browser gives them.
const (
	p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	auth   = "BTBZMqHH6r4Tts7J_aSIgg"
)

// pushed is a push service that keeps what it gets.
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

func withNotices(t *testing.T) *house {
	return houseWith(t, setting{notices: true})
}

// push does what is promised to push services.
func (h *house) push() []push.Rendered {
	h.t.Helper()
	service := &pushed{}
	worker := h.notices.Worker(service)
	var tasks []outbox.LeasedMessage
	must(h.t, h.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) (err error) {
		tasks, err = outbox.Acquire(ctx, tx, push.Queue, 10, time.Minute)
		return err
	}))
	for _, task := range tasks {
		worker.Do(context.Background(), task)
	}
	return service.sent
}

func (b *browser) allow(endpoint string) *browser {
	b.t.Helper()
	b.open("/settings")
	return b.follow(http.MethodPost, "/settings/notices", form(b, "endpoint", endpoint, "p256dh", p256dh, "auth", auth))
}

// ends gets the receipt again until the payment has ended.
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

// A holder who allows notices is told what became of a payment, and of nobody
// else's; what the notice says can be seen by anybody.
func TestNoticeOfAPayment(t *testing.T) {
	t.Parallel()
	h := withNotices(t)
	who := h.holder(1000_00)
	b := h.as(who)
	if key := b.open("/settings").page.Find("#notices-form").AttrOr("data-key", ""); key != "the public key" {
		t.Errorf("the browser is told of %q", key)
	}
	b.allow("https://push.example.net/1").isAt("/settings").says("Уведомления", "Отключить")
	h.as(h.holder(0)).allow("https://push.example.net/2")

	b.open("/pay/dostek").fill("account", company).fill("amount", "250,50").press("Далее").press("Оплатить")
	if sent := h.push(); len(sent) != 0 {
		t.Errorf("told before the end: %+v", sent)
	}
	h.deliver()
	b.ends("completed")
	sent := h.push()
	if len(sent) != 1 || sent[0].Subscription.Endpoint != "https://push.example.net/1" {
		t.Fatalf("%+v", sent)
	}
	notice := sent[0].Notice
	if notice.Title != "Платёж проведён" || notice.Text != "DosTek group: 250,50 сом" {
		t.Errorf("%+v", notice)
	}
	b.open(notice.Href).says("Платёж проведён")
	if again := h.push(); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}

	b.open("/settings").press("Отключить").isAt("/settings")
	h.biller.says(good, refusal(5))
	b.open("/pay/dostek").fill("account", company).fill("amount", "10").press("Далее").press("Оплатить")
	b.ends("refunded")
	if sent := h.push(); len(sent) != 0 {
		t.Errorf("told after it was switched off: %+v", sent)
	}
}

func TestNoticeOfARefund(t *testing.T) {
	t.Parallel()
	h := withNotices(t)
	b := h.as(h.holder(1000_00)).allow("https://push.example.net/1")
	h.biller.says(good, refusal(5))
	b.open("/pay/dostek").fill("account", company).fill("amount", "10").press("Далее").press("Оплатить")
	h.deliver()
	b.ends("refunded")
	if sent := h.push(); len(sent) != 1 || sent[0].Notice.Title != "Платёж не прошёл, деньги возвращены" {
		t.Errorf("%+v", sent)
	}
}

// An address that the server would call elsewhere is refused in words; another
// holder's browser is nobody's business; without a key there is nothing.
func TestBadNotices(t *testing.T) {
	t.Parallel()
	h := withNotices(t)
	b := h.as(h.holder(0))
	for _, endpoint := range []string{"", "http://push.example.net/1", "https://127.0.0.1/1", "https://metadata/1", "https://shop.example.net/hook", "https://push.example.net/" + strings.Repeat("x", 2000)} {
		b.allow(endpoint).answered(http.StatusUnprocessableEntity).says("Они не включены")
	}
	if n := h.rows("SELECT COUNT(*) FROM push_addresses"); n != 0 {
		t.Errorf("%d are kept", n)
	}
	b.allow("https://push.example.net/1")
	id := b.page.Find("button[name=notice]").AttrOr("value", "none")
	other := h.as(h.holder(0)).open("/settings")
	for _, wrong := range []string{id, "", "x", "1"} {
		if answer := other.ask(http.MethodPost, "/settings/notices/end", form(other, "notice", wrong)); answer.Code != http.StatusNotFound {
			t.Errorf("%q: %d", wrong, answer.Code)
		}
	}
	silent := newHouse(t)
	b = silent.as(silent.holder(0))
	b.allow("https://push.example.net/1").answered(http.StatusNotFound)
	if b.open("/settings"); b.page.Find("#notices-form").Length() > 0 {
		t.Error("notices are offered without a key")
	}
}

// A new password ends the notices on all browsers.
func TestANewPasswordEndsNotices(t *testing.T) {
	t.Parallel()
	h := withNotices(t)
	who := h.holder(0)
	b := h.as(who).allow("https://push.example.net/1")
	b.open("/settings").fill("old_password", password).fill("password", "совсем другой пароль").press("Сменить пароль").isAt("/settings")
	if b.page.Find("button[name=notice]").Length() > 0 {
		t.Error("they go on")
	}
}

// Notices end with the session, also those that were promised before: at a
// logout, when the session is ended from another browser, and when somebody
// else signs in. A session that merely was idle ends none, and nobody else's
// end.
func TestNoticesEndWithTheSession(t *testing.T) {
	t.Parallel()
	h := withNotices(t)
	who := h.holder(1000_00)
	phone, desk := h.browser(), h.as(who)
	leave := func() { phone.open("/settings").follow(http.MethodPost, "/logout", form(phone)) }
	h.as(h.holder(0)).allow("https://push.example.net/another's")
	told := func(what string, leave func()) {
		t.Helper()
		phone.open("/").logIn(who.Phone, password)
		phone.allow("https://push.example.net/" + strings.ReplaceAll(what, " ", "-"))
		desk.open("/pay/dostek").fill("account", company).fill("amount", "10").press("Далее").press("Оплатить")
		h.deliver()
		desk.ends("completed")
		leave()
		if sent := h.push(); (len(sent) > 0) != strings.HasPrefix(what, "idle") {
			t.Errorf("%s: sent %d", what, len(sent))
		}
	}
	told("logout", leave)
	told("end", func() {
		desk.open("/settings").follow(http.MethodPost, "/settings/sessions/end", form(desk, "session", desk.page.Find("button[name=session]").Not("[value=others]").AttrOr("value", "")))
	})
	told("end others", func() {
		desk.open("/settings").follow(http.MethodPost, "/settings/sessions/end", form(desk, "session", "others"))
	})
	told("idle", func() { h.wait(session.Idle + time.Minute) })
	if n := h.rows("SELECT COUNT(*) FROM push_addresses"); n != 2 {
		t.Errorf("%d are kept", n)
	}
	phone.open("/").logIn(h.holder(0).Phone, password)
	if n := h.rows("SELECT COUNT(*) FROM push_addresses"); n != 1 {
		t.Errorf("another signed in there: %d are kept", n)
	}
}
