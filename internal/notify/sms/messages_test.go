package sms

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// fixture has the messages of a database and a gateway.
type fixture struct {
	*testing.T
	db       *database.DB
	sealer   *Sealer
	gateway  *recorder
	messages *Messages
	options  Options
}

func eachFixture(t *testing.T, test func(f *fixture)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSealer(t, "the server's secret")
		test(&fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{}})
	})
}

var plainMessage = Message{Phone: number, Lang: "ru", Key: "sms.topped_up", Args: map[string]any{"Amount": "12,50"}}

func secretMessage() Message {
	return Message{Phone: number, Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true}
}

func (f *fixture) add(list ...Outgoing) {
	f.Helper()
	err := f.db.InTx(f.Context(), func(ctx context.Context, tx *database.Tx) error { return Add(ctx, tx, list...) })
	if err != nil {
		f.Fatal(err)
	}
}

// deliver sends the due messages once and returns their number.
func (f *fixture) deliver() int {
	f.Helper()
	n, err := NewSender(f.db, f.sealer, f.gateway, f.options).SendDue(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return n
}

// advance moves the due times of messages and the times of calls into the past.
func (f *fixture) advance(d time.Duration) {
	f.Helper()
	rows, err := f.db.Pool().QueryContext(f.Context(), "SELECT id, due_at, asked_at FROM messages")
	if err != nil {
		f.Fatal(err)
	}
	type times struct {
		id             int64
		dueAt, askedAt *time.Time
	}
	var list []times
	for rows.Next() {
		var m times
		if err := rows.Scan(&m.id, &m.dueAt, &m.askedAt); err != nil {
			f.Fatal(err)
		}
		list = append(list, m)
	}
	earlier := func(at *time.Time) *time.Time {
		if at != nil {
			*at = database.StoredTime(at.Add(-d))
		}
		return at
	}
	for _, m := range list {
		_, err := f.db.Pool().ExecContext(f.Context(), "UPDATE messages SET due_at = $1, asked_at = $2 WHERE id = $3", earlier(m.dueAt), earlier(m.askedAt), m.id)
		if err != nil {
			f.Fatal(err)
		}
	}
}

// wantState fails the test unless a message has this state. One that isn't queued has no
// encrypted text.
func (f *fixture) wantState(key string, want State) {
	f.Helper()
	var state State
	var sealed []byte
	row := f.db.Pool().QueryRowContext(f.Context(), `SELECT state, sealed FROM messages WHERE key = $1`, key)
	if err := row.Scan(&state, &sealed); err != nil {
		f.Fatalf("%s: %v", key, err)
	}
	if state != want || state != Queued && sealed != nil {
		f.Errorf("%s: state %s, want %s; %d bytes encrypted", key, state, want, len(sealed))
	}
}

func (f *fixture) repeats() int64 {
	f.Helper()
	c, err := f.messages.Count(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return c.Repeats
}

func (f *fixture) receive(token string, state State) {
	f.Helper()
	if err := f.messages.Receive(f.Context(), Receipt{token, state}); err != nil {
		f.Fatal(err)
	}
}

func TestStatesOnlyGoForward(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{fault.New(fault.Unavailable, "test", "")}
		f.add(OutboxMessage("a", plainMessage))
		f.deliver()
		f.wantState("a", Queued)
		f.advance(time.Hour)
		f.deliver()
		f.wantState("a", Sent)
		token := f.gateway.sent[0].Token
		if len(f.gateway.sent) != 2 || token == "" || f.gateway.sent[1].Token != token {
			f.Fatalf("sent %+v", f.gateway.sent)
		}
		f.receive(token, Sent)
		f.wantState("a", Sent)
		f.receive(token, Delivered)
		f.wantState("a", Delivered)
		for _, state := range []State{Sent, Failed} { // receipts arrive in any order and repeatedly
			f.receive(token, state)
			f.wantState("a", Delivered)
		}
		// Failed is final too.
		f.add(OutboxMessage("b", plainMessage))
		f.deliver()
		f.receive(f.gateway.sent[2].Token, Failed)
		f.receive(f.gateway.sent[2].Token, Sent)
		f.receive(f.gateway.sent[2].Token, Delivered)
		f.wantState("b", Failed)
		// A message that the gateway refuses has failed.
		f.gateway.fail = []error{fault.New(fault.Invalid, "test", "")}
		f.add(OutboxMessage("c", plainMessage))
		f.deliver()
		f.wantState("c", Failed)
		c, err := f.messages.Count(f.Context())
		if err != nil || c.Repeats != 0 || c.States[Delivered] != 1 || c.States[Failed] != 2 {
			f.Errorf("%+v, %v", c, err)
		}
	})
}

// A call whose response was lost is repeated after two minutes and counted.
func TestLostResponseIsRepeatedAfterTwoMinutes(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{fault.New(fault.Unknown, "test", "")}
		f.add(OutboxMessage("a", plainMessage))
		f.deliver()
		f.wantState("a", Queued)
		f.advance(119 * time.Second)
		f.deliver()
		if len(f.gateway.sent) != 1 {
			f.Fatalf("%d calls within two minutes", len(f.gateway.sent))
		}
		f.advance(2 * time.Second)
		f.deliver()
		f.wantState("a", Sent)
		if len(f.gateway.sent) != 2 || f.repeats() != 1 {
			f.Errorf("%d calls, %d repeats counted", len(f.gateway.sent), f.repeats())
		}
	})
}

// After an error that is not a fault the outcome is unknown.
func TestOtherErrorIsALostResponse(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{errors.New("?")}
		f.add(OutboxMessage("a", plainMessage))
		f.deliver()
		f.advance(119 * time.Second)
		f.deliver()
		if len(f.gateway.sent) != 1 {
			f.Errorf("%d calls", len(f.gateway.sent))
		}
	})
}

func TestReceiptPreventsRepeat(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{fault.New(fault.Unknown, "test", ""), fault.New(fault.Unknown, "test", "")}
		f.add(OutboxMessage("a", plainMessage), OutboxMessage("b", plainMessage))
		f.deliver()
		token := map[string]string{f.gateway.sent[0].ID: f.gateway.sent[0].Token, f.gateway.sent[1].ID: f.gateway.sent[1].Token}
		f.receive(token["a"], Sent)
		f.receive(token["b"], Delivered)
		f.advance(time.Hour)
		if n := f.deliver(); n != 0 {
			f.Errorf("%d messages were acquired again", n)
		}
		f.wantState("a", Sent)
		f.wantState("b", Delivered)
		if len(f.gateway.sent) != 2 || f.repeats() != 0 {
			f.Errorf("%d calls, %d repeats counted", len(f.gateway.sent), f.repeats())
		}
	})
}

// A code is never sent again: the customer requests another one.
func TestCodesAreNotRepeated(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{fault.New(fault.Unknown, "test", "")}
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		f.deliver()
		f.wantState("a", Queued)
		f.advance(time.Hour)
		f.deliver()
		f.wantState("a", Failed)
		if len(f.gateway.sent) != 1 {
			f.Errorf("%d calls", len(f.gateway.sent))
		}
	})
}

// After a crash during the call the outcome is unknown, as after a lost response.
func TestCrashDuringCallIsALostResponse(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(OutboxMessage("a", plainMessage), f.sealer.OutboxMessage("b", secretMessage()))
		d := NewSender(f.db, f.sealer, f.gateway, Options{})
		for _, queue := range []string{Queue, CodeQueue} {
			acquired, err := d.Step(f.Context(), queue, nil, 10)
			if err != nil || len(acquired) != 1 {
				f.Fatal(acquired, err)
			}
			d.Send(f.Context(), acquired[0]) // its outcome is not stored
		}
		f.advance(61 * time.Second)
		f.deliver()
		if len(f.gateway.sent) != 2 {
			f.Fatalf("%d calls", len(f.gateway.sent))
		}
		f.advance(time.Minute)
		f.deliver()
		f.wantState("a", Sent)
		f.wantState("b", Failed)
		if len(f.gateway.sent) != 3 || f.repeats() != 1 {
			f.Errorf("%d calls, %d repeats counted", len(f.gateway.sent), f.repeats())
		}
	})
}

func TestReceiptTokens(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.add(OutboxMessage("a", plainMessage), OutboxMessage("b", plainMessage))
		f.deliver()
		mine := f.gateway.sent[0].Token
		if mine == f.gateway.sent[1].Token {
			f.Error("two messages have the same token")
		}
		for _, forged := range []string{
			"", "x", mine[:len(mine)-1], mine + "A", strings.ToUpper(mine), "B" + mine[1:], mine[:len(mine)-1] + "!",
			newSealer(t, "another secret").token(1),
		} {
			err := f.messages.Receive(f.Context(), Receipt{forged, Delivered})
			if !fault.Is(err, fault.NotFound) {
				f.Errorf("%q: %v", forged, err)
			}
		}
		for _, state := range []State{"", Queued, "read"} {
			if err := f.messages.Receive(f.Context(), Receipt{mine, state}); !fault.Is(err, fault.Invalid) {
				f.Errorf("receipt with state %q: %v", state, err)
			}
		}
		f.wantState("a", Sent)
		// A token of an id that does not exist (of another database) changes nothing.
		f.receive(f.sealer.token(12345), Delivered)
		f.wantState("b", Sent)
	})
}

func TestList(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		other := plainMessage
		other.Phone = "+996550123456"
		f.add(OutboxMessage("other", other))
		f.add(f.sealer.OutboxMessage("a", secretMessage()))
		f.deliver()
		f.add(OutboxMessage("b", plainMessage))
		f.deliver()
		f.add(OutboxMessage("no message", Message{Phone: number, Lang: "ru", Key: NoMessage}))
		f.deliver()
		list, older, err := f.messages.List(f.Context(), number, time.Time{}, 0, 1)
		if err != nil || len(list) != 1 || !older || !strings.Contains(list[0].Text, "12,50") || list[0].State != Sent ||
			time.Since(list[0].At) > time.Minute {
			f.Fatalf("%+v, %v, %v", list, older, err)
		}
		list, older, err = f.messages.List(f.Context(), number, time.Time{}, list[0].ID, 1)
		if err != nil || len(list) != 1 || older || !strings.Contains(list[0].Text, "••••••") {
			f.Fatalf("%+v, %v, %v", list, older, err)
		}
		for _, r := range f.gateway.sent {
			if r.ID == "a" && !strings.Contains(r.Text, "471193") {
				f.Errorf("sent %q", r.Text)
			}
		}
		var found int
		row := f.db.Pool().QueryRowContext(f.Context(), "SELECT COUNT(*) FROM messages WHERE text LIKE '%471193%'")
		if err := row.Scan(&found); err != nil || found != 0 {
			f.Errorf("a code is stored unmasked: %d, %v", found, err)
		}
	})
}
