package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/notify/sms"
	"elsom/internal/testkit/require"
)

// queueSMS queues messages to a customer.
func (app *testApp) queueSMS(messages ...sms.Outgoing) {
	app.t.Helper()
	require.NoError(app.t, app.DB.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		return sms.Add(ctx, tx, messages...)
	}))
}

// The messages page shows a customer's SMS with codes masked, and no messages to
// others.
func TestMessages(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, other := app.newCustomer(0), app.newCustomer(77_00)
	b := app.browserOf(holder)
	app.exec("DELETE FROM messages WHERE phone = $1", holder.Phone.String()) // about the login
	b.open("/settings").wantStatus(200).press("СМС-сообщения").wantStatus(200).shows("Сообщений пока нет")
	code := func(c customer.Customer) sms.Outgoing {
		return app.Sealer.OutboxMessage(fmt.Sprint("code", c.ID), sms.Message{
			Phone: c.Phone, Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true,
		})
	}
	app.queueSMS(code(holder), code(other))
	if texts := app.messages(holder.Phone); len(texts) != 1 || !strings.Contains(texts[0], "471193") {
		t.Fatalf("sent %q", texts)
	}
	app.deposit(holder, 12_34)
	app.messages(holder.Phone)
	b.open("/messages").wantStatus(200).shows("•••••• – код", "12,34", "Отправлено")
	if strings.Contains(b.text(), "471193") || strings.Contains(b.text(), "77,00") {
		t.Errorf("a code, or another's message: %s", b.text())
	}
	app.exec("UPDATE messages SET state = 'failed' WHERE text LIKE '%12,34%'")
	b.open("/messages").wantStatus(200).shows("Не доставлено")
}

func TestMessagesPagination(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	for i := range 45 {
		app.queueSMS(sms.OutboxMessage(fmt.Sprint("m", i), sms.Message{
			Phone: holder.Phone, Lang: "ru", Key: "sms.topped_up", Args: map[string]any{"Amount": fmt.Sprintf("#%02d", i)},
		}))
		app.messages(holder.Phone)
	}
	b, seen := app.browserOf(holder), 0
	b.open("/messages").wantStatus(200)
	for {
		for i := range 45 {
			seen += strings.Count(b.text(), fmt.Sprintf("#%02d", i))
		}
		older := b.page.Find(`nav.pager a[rel="next"]`)
		if older.Length() == 0 {
			break
		}
		b.open(older.AttrOr("href", "")).wantStatus(200)
	}
	if seen != 45 {
		t.Errorf("%d messages on all pages", seen)
	}
	b.press("К новым").shows("#44")
	for _, odd := range []string{"-1", "x", "99999999999999999999", "1"} {
		b.open("/messages?before=" + odd).wantStatus(200)
	}
}
