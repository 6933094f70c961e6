package sms

import (
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/i18n"
)

// The previous release reads the queues "sms" and "sms_codes" only, and fails a message
// whose text it doesn't have.
func TestAddedTextsHaveQueuesOfTheirOwn(t *testing.T) {
	s := newSealer(t, "the server's secret")
	for key := range added {
		m := Message{Phone: number, Lang: "ru", Key: key}
		for _, queue := range []string{OutboxMessage("event", m).Queue, s.OutboxMessage("event", m).Queue} {
			if queue == Queue || queue == CodeQueue || !slices.Contains(Queues(), queue) {
				t.Errorf("%s has the queue %s", key, queue)
			}
		}
		if _, err := i18n.Render("ru", key, nil); err != nil && strings.Contains(err.Error(), "no such message") {
			t.Errorf("%s is no text", key)
		}
	}
	if queue := s.OutboxMessage("event", secretMessage()).Queue; queue != CodeQueue {
		t.Errorf("a text of the previous release has the queue %s", queue)
	}
}

func TestTextOfANewerReleaseIsLeftToIt(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(OutboxMessage("event", Message{Phone: number, Lang: "ru", Key: "sms.of_a_newer_release"}))
		for tried := range maxRenderings {
			if state := f.outboxState("event"); state != "open" {
				t.Fatalf("after %d tries the message is %s", tried, state)
			}
			f.deliver()
			f.advance(time.Hour)
		}
		if state := f.outboxState("event"); state != "failed" {
			t.Errorf("the message is %s at the end", state)
		}
	})
}

func (f *fixture) outboxState(key string) (state string) {
	f.Helper()
	if err := f.db.Pool().QueryRowContext(f.Context(), "SELECT state FROM promises WHERE key = $1", key).Scan(&state); err != nil {
		f.Fatal(err)
	}
	return state
}
