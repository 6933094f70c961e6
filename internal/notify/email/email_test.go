package email_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

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

func deliver(t *testing.T, db *database.DB, m outbox.Message) {
	t.Helper()
	payload, err := json.Marshal(m.Payload)
	if err != nil {
		t.Fatal(err)
	}
	email.NewWorker(db, inbox.New(db)).Do(context.Background(), outbox.LeasedMessage{Queue: email.Queue, Key: m.Key, Payload: payload})
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
