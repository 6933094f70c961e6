package sms

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/outbox"
)

// addFormer adds a message as the previous release does.
func (f *fixture) addFormer(queue, key string, p payload) {
	f.Helper()
	err := f.db.InTx(f.Context(), func(ctx context.Context, tx *database.Tx) error {
		return outbox.Add(ctx, tx, outbox.Message{Queue: queue, Key: key, Payload: p})
	})
	if err != nil {
		f.Fatal(err)
	}
}

// storeFormerCall stores a call as the previous release does.
func (f *fixture) storeFormerCall(key string) {
	f.Helper()
	databasetest.Tamper(f.T, f.db, `INSERT INTO messages (id, key, phone, text, state, made_at, asked_by, asked_at)
		SELECT id, key, '`+string(number)+`', 'text', 'queued', made_at, 7, made_at FROM promises WHERE key = '`+key+`'`)
}

func (f *fixture) sealedArgs(key string) []byte {
	args, err := json.Marshal(map[string]string{"Code": "471193"})
	if err != nil {
		f.Fatal(err)
	}
	return f.sealer.ciphers.Seal(args, additionalData(key, number))
}

// What the previous release adds is sent once, whether or not it has called the gateway.
func TestMessagesOfThePreviousRelease(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		plain := payload{Phone: number, Lang: "ru", Key: "sms.topped_up", Args: map[string]string{"Amount": "12,50"}}
		f.addFormer("sms", "plain", plain)
		f.addFormer("sms_codes", "code", payload{Phone: number, Lang: "ru", Key: "sms.login_code", Sealed: f.sealedArgs("code")})
		f.addFormer("sms_codes", "nothing", payload{Phone: number, Lang: "ru", Key: NoMessage})
		f.addFormer("sms", "called", plain)
		f.addFormer("sms_codes", "called code", payload{Phone: number, Lang: "ru", Key: "sms.code", Sealed: f.sealedArgs("called code")})
		f.storeFormerCall("called")
		f.storeFormerCall("called code")
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		if n, err := d.Drain(f.Context()); n != 5 || err != nil {
			f.Fatal(n, err)
		}
		if n, err := d.Drain(f.Context()); n != 0 || err != nil {
			f.Error("moved again", n, err)
		}
		f.waitForCount("open outbox messages", "SELECT COUNT(*) FROM promises WHERE state = 'open'", 0)
		var texts int
		row := f.db.Pool().QueryRow("SELECT COUNT(*) FROM messages WHERE text LIKE '%471193%'")
		if err := row.Scan(&texts); err != nil || texts != 0 {
			f.Errorf("%d codes are stored unmasked, %v", texts, err)
		}
		if n := f.deliver(); n != 2 {
			f.Errorf("%d messages were sent", n)
		}
		for _, r := range f.gateway.sent {
			if r.ID == "code" && !strings.Contains(r.Text, "471193") {
				f.Errorf("sent %q", r.Text)
			}
		}
		f.wantState("plain", Sent)
		f.wantState("code", Sent)
		f.wantState("called", Queued)
		f.advance(repeatAfter + time.Second)
		f.deliver()
		f.wantState("called", Sent)
		f.wantState("called code", Failed)
		if len(f.gateway.sent) != 3 || f.repeats() != 1 {
			f.Errorf("%d calls, %d repeats", len(f.gateway.sent), f.repeats())
		}
	})
}

// A message of this release is not changed by one of the previous release with its key.
func TestMessageWithAKeyOfThisRelease(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{fault.New(fault.Unavailable, "test", "")}
		f.add(OutboxMessage("a", plainMessage))
		f.deliver()
		f.addFormer("sms", "a", payload{Phone: number, Lang: "ru", Key: "sms.topped_up", Args: map[string]string{"Amount": "12,50"}})
		if _, err := NewSender(f.db, f.sealer, f.gateway, Options{}).Drain(f.Context()); err != nil {
			f.Fatal(err)
		}
		if n := f.deliver(); n != 0 {
			f.Error("it is due again")
		}
	})
}

// A message that a worker of the previous release has is left to it.
func TestLeasedMessageOfThePreviousRelease(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.addFormer("sms", "a", payload{Phone: number, Lang: "ru", Key: "sms.topped_up", Args: map[string]string{"Amount": "12,50"}})
		err := f.db.InTx(f.Context(), func(ctx context.Context, tx *database.Tx) error {
			_, err := outbox.Acquire(ctx, tx, "sms", 1, time.Minute)
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
		if n, err := NewSender(f.db, f.sealer, f.gateway, Options{}).Drain(f.Context()); n != 0 || err != nil {
			f.Error(n, err)
		}
	})
}

// What can't be read fails and delays nothing else.
func TestUnreadableMessageOfThePreviousRelease(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.addFormer("sms", "long", payload{Phone: number + "00000000", Lang: "ru", Key: "sms.topped_up", Args: map[string]string{"Amount": "12,50"}})
		f.addFormer("sms", "foreign", payload{Phone: number, Lang: "ru", Key: "sms.code", Sealed: []byte("of another server, long enough")})
		f.addFormer("sms", "good", payload{Phone: number, Lang: "ru", Key: "sms.topped_up", Args: map[string]string{"Amount": "12,50"}})
		if n, err := NewSender(f.db, f.sealer, f.gateway, Options{}).Drain(f.Context()); n != 3 || err != nil {
			f.Fatal(n, err)
		}
		f.deliver()
		f.wantState("good", Sent)
		f.waitForCount("failed messages", "SELECT COUNT(*) FROM promises WHERE state = 'failed'", 2)
	})
}
