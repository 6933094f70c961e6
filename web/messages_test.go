package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
)

// promise makes SMS due to a holder.
func (h *house) promise(promises ...outbox.Message) {
	h.t.Helper()
	must(h.t, h.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		return outbox.Add(ctx, tx, promises...)
	}))
}

// A holder reads again what was sent to them, without codes, and nothing that
// was sent to others.
func TestMessages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, other := h.holder(0), h.holder(77_00)
	b := h.as(who)
	b.open("/settings").answered(200).press("СМС, отправленные").answered(200).says("Сообщений пока нет")
	code := func(c customer.Customer) outbox.Message {
		return h.sealer.OutboxMessage(fmt.Sprint("code", c.ID), sms.Message{
			Phone: c.Phone, Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true,
		})
	}
	h.promise(code(who), code(other))
	if texts := h.messages(who.Phone); len(texts) != 1 || !strings.Contains(texts[0], "471193") {
		t.Fatalf("sent %q", texts)
	}
	h.fill(who, 12_34)
	h.messages(who.Phone)
	b.open("/messages").answered(200).says("•••••• – код", "12,34", "Отправлено")
	if strings.Contains(b.text(), "471193") || strings.Contains(b.text(), "77,00") {
		t.Errorf("a code, or another's message: %s", b.text())
	}
	h.exec("UPDATE messages SET state = 'failed' WHERE text LIKE '%12,34%'")
	b.open("/messages").answered(200).says("Не доставлено")
}

func TestMessagesPageByPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(0)
	for i := range 45 {
		h.promise(sms.OutboxMessage(fmt.Sprint("m", i), sms.Message{
			Phone: who.Phone, Lang: "ru", Key: "sms.topped_up", Args: map[string]any{"Amount": fmt.Sprintf("#%02d", i)},
		}))
		h.messages(who.Phone)
	}
	b, seen := h.as(who), 0
	b.open("/messages").answered(200)
	for {
		for i := range 45 {
			seen += strings.Count(b.text(), fmt.Sprintf("#%02d", i))
		}
		older := b.page.Find(`nav.pager a[rel="next"]`)
		if older.Length() == 0 {
			break
		}
		b.open(older.AttrOr("href", "")).answered(200)
	}
	if seen != 45 {
		t.Errorf("%d messages on all pages", seen)
	}
	b.press("К новым").says("#44")
	for _, odd := range []string{"-1", "x", "99999999999999999999", "1"} {
		b.open("/messages?before=" + odd).answered(200)
	}
}
