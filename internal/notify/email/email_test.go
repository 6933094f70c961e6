package email_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/notify/email"
	"elsom/internal/notify/email/inbox"
	"elsom/internal/outbox"
)

func message(lang string) email.Message {
	return email.Message{
		To: "aida@example.kg", Lang: lang, Subject: "email.reset_done.subject", Text: "email.reset_done.text",
		Args: map[string]any{"Phone": "+996 700 ••• 456", "At": "22.11.2026 15:40", "Until": "23.11.2026 15:40"},
	}
}

func sealer(t *testing.T) *email.Sealer {
	t.Helper()
	s, err := email.NewSealer([]byte("a secret of thirty-two bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func deliver(t *testing.T, db *database.DB, m outbox.Message) {
	t.Helper()
	payload, err := json.Marshal(m.Payload)
	if err != nil {
		t.Fatal(err)
	}
	email.NewWorker(db, inbox.New(db), email.Options{Sealer: sealer(t)}).Do(context.Background(), outbox.LeasedMessage{Queue: email.Queue, Key: m.Key, Payload: payload})
}

func TestWorkerSendsEachLanguageOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, lang := range i18n.Langs() {
			deliver(t, db, email.OutboxMessage("event "+string(lang), message(string(lang))))
		}
		deliver(t, db, email.OutboxMessage("event ru", message("ru"))) // again
		list, err := inbox.New(db).List(context.Background(), "aida@example.kg")
		if err != nil || len(list) != 3 {
			t.Fatalf("%d sent, %v", len(list), err)
		}
		for _, m := range list {
			if m.Subject == "" || !strings.Contains(m.Text, "23.11.2026 15:40") || !strings.Contains(m.Text, "\n\n") {
				t.Errorf("sent %+v", m)
			}
		}
	})
}

func TestMissingArgumentIsNotSent(t *testing.T) {
	db := databasetest.SQLite(t)
	m := message("ru")
	m.Args = nil
	deliver(t, db, email.OutboxMessage("event", m))
	if list, err := inbox.New(db).List(t.Context(), m.To); err != nil || len(list) != 0 {
		t.Errorf("sent %+v, %v", list, err)
	}
}

func withCode(until time.Time) email.Message {
	return email.Message{
		To: "aida@example.kg", Lang: "ru", Subject: "email.email_code.subject", Text: "email.email_code.text",
		Args: map[string]any{"Phone": "+996 700 ••• 456", "Minutes": 30}, Until: until,
	}
}

// The code is in what is sent, not in what is stored, and another address doesn't get it.
func TestCodesAreStoredEncrypted(t *testing.T) {
	db := databasetest.SQLite(t)
	m := sealer(t).OutboxMessage("event", withCode(db.Now().Add(time.Minute)), "482915")
	stored, err := json.Marshal(m.Payload)
	if err != nil || bytes.Contains(stored, []byte("482915")) || bytes.Contains(stored, []byte(base64.StdEncoding.EncodeToString([]byte("482915")))) {
		t.Fatalf("stored: %s, %v", stored, err)
	}
	deliver(t, db, m)
	list, err := inbox.New(db).List(t.Context(), "aida@example.kg")
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Text, "\n\n482915\n\n") {
		t.Errorf("sent %+v, %v", list, err)
	}
	var changed map[string]any
	if err := json.Unmarshal(stored, &changed); err != nil {
		t.Fatal(err)
	}
	changed["to"] = "thief@example.kg"
	deliver(t, db, outbox.Message{Queue: email.Queue, Key: "event", Payload: changed})
	if list, err := inbox.New(db).List(t.Context(), "thief@example.kg"); err != nil || len(list) != 0 {
		t.Errorf("sent %+v, %v", list, err)
	}
}

func TestLateCodesAreDropped(t *testing.T) {
	db := databasetest.SQLite(t)
	deliver(t, db, sealer(t).OutboxMessage("event", withCode(db.Now().Add(-time.Second)), "482915"))
	if list, err := inbox.New(db).List(t.Context(), "aida@example.kg"); err != nil || len(list) != 0 {
		t.Errorf("sent %+v, %v", list, err)
	}
}

// server keeps what it is handed.
type server struct{ got []email.Rendered }

func (s *server) Send(_ context.Context, r email.Rendered) error {
	s.got = append(s.got, r)
	return nil
}

// What a biller calls itself makes no header. A receipt has its facts in text and HTML; one
// that is dropped is not sent again.
func TestHeadersHaveOneLine(t *testing.T) {
	db := databasetest.SQLite(t)
	var to server
	letter := email.Letter{
		To: "aida@example.kg", Lang: "ru", Subject: "Квитанция: DosTek\r\nBcc: c@d.kg\u2028", Paragraphs: []string{"Первый", "Второй"},
		Facts: []email.Fact{{Label: "Сумма", Value: "250,50 сом"}}, Files: []email.File{{Name: "a.pdf", Type: "application/pdf", Content: []byte("%PDF")}},
	}
	dropped := false
	worker := email.NewWorker(db, &to, email.Options{
		HTML: func(_ context.Context, l email.Letter) (string, error) { return "<p>" + l.Paragraphs[1], nil },
		Receipt: func(_ context.Context, customer, payment int64) (email.Letter, error) {
			if customer != 7 || payment != 9 {
				t.Errorf("the receipt of %d, %d", customer, payment)
			}
			if dropped {
				return email.Letter{}, email.ErrDropped
			}
			return letter, nil
		},
	})
	for range 2 {
		payload, err := json.Marshal(email.ReceiptMessage("event", 7, 9).Payload)
		if err != nil {
			t.Fatal(err)
		}
		worker.Do(t.Context(), outbox.LeasedMessage{Queue: email.Queue, Key: "event", Payload: payload})
		dropped = true
	}
	if len(to.got) != 1 {
		t.Fatalf("sent %d", len(to.got))
	}
	if r := to.got[0]; strings.ContainsAny(r.Subject, "\r\n\u2028") || r.Text != "Первый\n\nСумма: 250,50 сом\n\nВторой" || r.HTML != "<p>Второй" || len(r.Files) != 1 {
		t.Errorf("sent %+v", r)
	}
}
