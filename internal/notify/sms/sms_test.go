package sms

import (
	"context"
	"encoding/base64"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/internal/phone"
)

const number = phone.Number("+996700123456")

func newSealer(t *testing.T, secret string) *Sealer {
	t.Helper()
	s, err := NewSealer([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// longest has the longest possible arguments of each text.
var longest = map[string]map[string]any{
	"sms.code":               {"Code": "888888"},
	"sms.reset_code":         {"Code": "888888"},
	"sms.reset_done":         {"Until": "23.11.2026 15:40"},
	"sms.password_changed":   nil,
	"sms.registered_already": nil,
	"sms.pin_issued":         {"PIN": "8888"},
	"sms.pin_changed":        nil,
	"sms.pin_locked":         {"Until": "23.11.2026 15:40"},
	"sms.pin_locked_staff":   {"Until": "23.11.2026 15:40"},
	"sms.unlock_code":        {"Code": "888888"},
	"sms.reset_done_pin":     nil,
	"sms.payment_completed":  payment,
	"sms.payment_refunded":   payment,
	"sms.topped_up":          {"Amount": money.Max},
	"messages.test":          {"Time": "23.11.2026 15:40"},

	"sms.transfer_sent":       transfer,
	"sms.transfer_sent_named": transfer,
	"sms.transfer_got":        transfer,
	"sms.transfer_got_named":  transfer,
}

var transfer = map[string]any{"Phone": number.Pretty(), "Name": strings.Repeat("Ңу", 40), "Amount": money.Max}

var payment = map[string]any{
	"Code": "1234 5678 9012", "Service": strings.Repeat("Ңу", 40), "Account": strings.Repeat("•7", 100), "Amount": money.Max,
}

func TestTextsFitTwoParts(t *testing.T) {
	for _, lang := range i18n.Langs() {
		for key, args := range longest {
			text, err := render(string(lang), key, printed(args))
			if err != nil {
				t.Errorf("%s %s: %v", lang, key, err)
				continue
			}
			// Two parts of UCS-2 hold 67 characters each.
			if n := len(utf16.Encode([]rune(text))); n > maxLength {
				t.Errorf("%s %s: %d characters: %s", lang, key, n, text)
			}
		}
	}
}

// Phones offer the first group of six digits to be filled in.
func TestCodeIsFirstSixDigitGroup(t *testing.T) {
	six := regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)
	for _, lang := range i18n.Langs() {
		for _, key := range []string{"sms.code", "sms.reset_code", "sms.unlock_code"} {
			text, err := render(string(lang), key, map[string]string{"Code": "004711"})
			if err != nil {
				t.Fatal(err)
			}
			if found := six.FindStringSubmatch(text); found == nil || found[1] != "004711" {
				t.Errorf("%s %s: %q", lang, key, text)
			}
		}
	}
}

func TestPINIsFirstFourDigitGroup(t *testing.T) {
	four := regexp.MustCompile(`(?:^|\D)(\d{4})(?:\D|$)`)
	for _, lang := range i18n.Langs() {
		text, err := render(string(lang), "sms.pin_issued", map[string]string{"PIN": "0471"})
		if err != nil {
			t.Fatal(err)
		}
		if found := four.FindStringSubmatch(text); found == nil || found[1] != "0471" {
			t.Errorf("%s: %q", lang, text)
		}
	}
}

func TestRenderRejectsMissingTextsAndArguments(t *testing.T) {
	for name, args := range map[string]map[string]string{"sms.code": nil, "sms.no_such_text": {"Code": "1"}} {
		if text, err := render("ru", name, args); err == nil {
			t.Errorf("%s: rendered %q", name, text)
		}
	}
}

// What is kept of a message with a code has the sum, but neither the code nor the account.
func TestMaskedMessageHasItsSum(t *testing.T) {
	text, err := render("ru", "sms.payment_code", masked(map[string]string{
		"Code": "471193", "Amount": "6 000,00", "Service": "DosTek group", "Account": "00207199610017",
	}))
	if err != nil || !strings.HasPrefix(text, "•••••• – код") || !strings.Contains(text, "6 000,00 сом") || strings.Contains(text, "0017") {
		t.Errorf("masked as %q, %v", text, err)
	}
}

func TestSecretsAreStoredEncrypted(t *testing.T) {
	m := Message{Phone: number, Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true}
	s := newSealer(t, "the server's secret")
	o := s.OutboxMessage("event", m)
	if strings.Contains(string(o.sealed), "471193") || strings.Contains(o.text, "471193") || !strings.Contains(o.text, "••••••") {
		t.Errorf("stored as %q, %q", o.text, o.sealed)
	}
	acquired := Acquired{Key: "event", phone: number, text: o.text, sealed: o.sealed}
	if text, err := s.unseal(acquired); err != nil || !strings.Contains(text, "471193") {
		t.Errorf("decrypted %q, %v", text, err)
	}
	if _, err := newSealer(t, "another secret").unseal(acquired); err == nil {
		t.Error("decrypted with the key of another server")
	}
	for name, moved := range map[string]Acquired{
		"event": {Key: "other", phone: number, sealed: o.sealed}, "phone number": {Key: "event", phone: "+996700123457", sealed: o.sealed},
	} {
		if _, err := s.unseal(moved); err == nil {
			t.Errorf("decrypted for another %s", name)
		}
	}
}

func TestSecretNeedsASealer(t *testing.T) {
	db := databasetest.SQLite(t)
	o := OutboxMessage("event", Message{Phone: number, Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true})
	err := db.InTx(t.Context(), func(ctx context.Context, tx *database.Tx) error { return Add(ctx, tx, o) })
	if err == nil || o.text != "" {
		t.Errorf("an unencrypted secret was added: %v", err)
	}
}

func TestCode(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		code := Code(6)
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
	}
	if len(seen) < 190 {
		t.Errorf("only %d different codes of 200", len(seen))
	}
}

type recorder struct {
	mu   sync.Mutex
	sent []Rendered
	fail []error // returned by the first calls
}

func (g *recorder) Send(_ context.Context, r Rendered) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = append(g.sent, r)
	if len(g.fail) > 0 {
		err := g.fail[0]
		g.fail = g.fail[1:]
		return err
	}
	return nil
}

// addAndDeliver adds a message, sends it and returns its state.
func (f *fixture) addAndDeliver(o Outgoing) (state State) {
	f.Helper()
	f.add(o)
	f.deliver()
	_ = f.db.Pool().QueryRowContext(f.Context(), "SELECT state FROM messages WHERE key = $1", o.key).Scan(&state) // none: it was deleted
	return state
}

func TestSenderStoresOutcome(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		s, g := f.sealer, f.gateway
		m := Message{Phone: number, Lang: "ky", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true}
		if state := f.addAndDeliver(s.OutboxMessage("a", m)); state != Sent {
			t.Errorf("sent: %s", state)
		}
		f.wantState("a", Sent)
		if len(g.sent) != 1 || !strings.Contains(g.sent[0].Text, "капчыгынын") || !strings.Contains(g.sent[0].Text, "471193") {
			t.Errorf("sent %+v", g.sent)
		}
		g.fail = []error{fault.New(fault.Unavailable, "test", "")}
		if state := f.addAndDeliver(s.OutboxMessage("b", m)); state != Queued {
			t.Errorf("gateway unavailable: %s", state)
		}
		g.fail = []error{fault.New(fault.Invalid, "test", "")}
		if state := f.addAndDeliver(s.OutboxMessage("c", m)); state != Failed {
			t.Errorf("refused: %s", state)
		}
		before := len(g.sent)
		m.Until = f.db.Now().Add(-time.Second)
		if state := f.addAndDeliver(s.OutboxMessage("d", m)); state != Failed || len(g.sent) != before {
			t.Errorf("expired: %s, %d sent", state, len(g.sent)-before)
		}
		f.wantState("d", Failed)
		empty := Message{Phone: number, Lang: "ru", Key: NoMessage, Args: map[string]any{"Code": "471193"}}
		if state := f.addAndDeliver(s.OutboxMessage("e", empty)); state != "" || len(g.sent) != before {
			t.Errorf("no message: %s, %d sent", state, len(g.sent)-before)
		}
		unknown := Message{Phone: number, Lang: "ru", Key: "sms.no_such_text"}
		if state := f.addAndDeliver(OutboxMessage("f", unknown)); state != Failed || len(g.sent) != before {
			t.Errorf("no such text: %s, %d sent", state, len(g.sent)-before)
		}
	})
}

// Stored payloads and issued tokens must remain valid after an upgrade.
func TestDerivedKeysNeverChange(t *testing.T) {
	s := newSealer(t, "the server's secret")
	if token := s.token(12345); token != "AAAAAAAAMDnigcl82EoSBi5uCLRnVySK" {
		t.Errorf("token %s", token)
	}
	p := payload{Phone: number}
	p.Sealed, _ = base64.StdEncoding.DecodeString("GPUl5pn7C1pwOFmFMkUG1hLy13+WvOZQ6P16Y2A0YQCpsN7afkjjTfvgUQSo")
	if args, err := s.open("event", p); err != nil || args["Code"] != "471193" {
		t.Errorf("decrypted %v, %v", args, err)
	}
}

// Messages and tokens of the previous secret are accepted; new ones are made with the
// secret in use.
func TestSealerAcceptsThePreviousSecret(t *testing.T) {
	before, after := newSealer(t, "the old secret"), newSealer(t, "the new secret")
	both, err := NewSealer([]byte("the new secret"), []byte("the old secret"))
	if err != nil {
		t.Fatal(err)
	}
	m := Message{Phone: "+996700123456", Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "123456"}, Secret: true}
	acquired := func(sealer *Sealer) Acquired {
		return Acquired{Key: "a", phone: m.Phone, sealed: sealer.OutboxMessage("a", m).sealed}
	}
	for name, sealer := range map[string]*Sealer{"previous": before, "in use": after} {
		text, err := both.unseal(acquired(sealer))
		if err != nil || !strings.Contains(text, "123456") {
			t.Errorf("a message of the secret %s: %q, %v", name, text, err)
		}
		if id, ok := both.messageID(sealer.token(7)); !ok || id != 7 {
			t.Errorf("a token of the secret %s: %d, %t", name, id, ok)
		}
	}
	if _, err := after.unseal(acquired(both)); err != nil {
		t.Errorf("a new message: %v", err)
	}
	if id, ok := after.messageID(both.token(7)); !ok || id != 7 {
		t.Error("a new token")
	}
}
