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
	"elsom/internal/outbox"
)

// post is a lane of messages with its gateway.
type post struct {
	*testing.T
	db       *database.DB
	sealer   *Sealer
	gateway  *recorder
	messages *Messages
	options  Options
}

// claim takes up what is due in either lane.
func claim(ctx context.Context, tx *database.Tx, n int) (tasks []outbox.LeasedMessage, err error) {
	for _, lane := range []string{CodeQueue, Queue} {
		more, err := outbox.Acquire(ctx, tx, lane, n, time.Minute)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, more...)
	}
	return tasks, nil
}

func eachPost(t *testing.T, act func(p *post)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sealer(t, "the server's secret")
		act(&post{t, db, s, &recorder{}, NewMessages(db, s), Options{}})
	})
}

var plainMessage = Message{Phone: number, Lang: "ru", Key: "sms.topped_up", Args: map[string]any{"Amount": "12,50"}}

func secretMessage() Message {
	return Message{Phone: number, Lang: "ru", Key: "sms.code", Args: map[string]any{"Code": "471193"}, Secret: true}
}

func (p *post) promise(promises ...outbox.Message) {
	p.Helper()
	err := p.db.InTx(p.Context(), func(ctx context.Context, tx *database.Tx) error { return outbox.Add(ctx, tx, promises...) })
	if err != nil {
		p.Fatal(err)
	}
}

// carry takes up what is due, once.
func (p *post) carry() (taken int) {
	p.Helper()
	var tasks []outbox.LeasedMessage
	err := p.db.InTx(p.Context(), func(ctx context.Context, tx *database.Tx) (err error) {
		tasks, err = claim(ctx, tx, 10)
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	for _, task := range tasks {
		Workers(p.db, p.sealer, p.gateway, p.options)[0].Do(p.Context(), task)
	}
	return len(tasks)
}

// pass lets time go by, for what the lane waits for.
func (p *post) pass(d time.Duration) {
	p.Helper()
	for _, statement := range []struct{ table, column string }{{"promises", "due_at"}, {"messages", "asked_at"}} {
		type moment struct {
			ID int64
			At *time.Time
		}
		rows, err := p.db.Pool().QueryContext(p.Context(), "SELECT id, "+statement.column+" FROM "+statement.table)
		if err != nil {
			p.Fatal(err)
		}
		var moments []moment
		for rows.Next() {
			var m moment
			if err := rows.Scan(&m.ID, &m.At); err != nil {
				p.Fatal(err)
			}
			moments = append(moments, m)
		}
		for _, m := range moments {
			if m.At == nil {
				continue
			}
			_, err := p.db.Pool().ExecContext(p.Context(), "UPDATE "+statement.table+" SET "+statement.column+" = $1 WHERE id = $2",
				database.StoredTime(m.At.Add(-d)), m.ID)
			if err != nil {
				p.Fatal(err)
			}
		}
	}
}

// stands wants a message's state and its promise's.
func (p *post) stands(key string, state State, promise string) {
	p.Helper()
	var is, promised string
	row := p.db.Pool().QueryRowContext(p.Context(), `SELECT m.state, p.state FROM messages m JOIN promises p ON p.key = m.key WHERE m.key = $1`, key)
	if err := row.Scan(&is, &promised); err != nil {
		p.Fatalf("%s: %v", key, err)
	}
	if is != string(state) || promised != promise {
		p.Errorf("%s is %s, its promise %s; want %s, %s", key, is, promised, state, promise)
	}
}

func (p *post) repeats() int64 {
	p.Helper()
	c, err := p.messages.Count(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	return c.Repeats
}

func (p *post) receive(token string, state State) {
	p.Helper()
	if err := p.messages.Receive(p.Context(), Receipt{token, state}); err != nil {
		p.Fatal(err)
	}
}

func TestStates(t *testing.T) {
	eachPost(t, func(p *post) {
		p.gateway.fail = []error{fault.New(fault.Unavailable, "test", "")}
		p.promise(OutboxMessage("a", plainMessage))
		p.carry()
		p.stands("a", Queued, "open")
		p.pass(time.Hour)
		p.carry()
		p.stands("a", Sent, "kept")
		token := p.gateway.sent[0].Token
		if len(p.gateway.sent) != 2 || token == "" || p.gateway.sent[1].Token != token {
			p.Fatalf("sent %+v", p.gateway.sent)
		}
		p.receive(token, Sent)
		p.stands("a", Sent, "kept")
		p.receive(token, Delivered)
		p.stands("a", Delivered, "kept")
		for _, state := range []State{Sent, Failed} { // receipts come in any order, and twice
			p.receive(token, state)
			p.stands("a", Delivered, "kept")
		}
		// Not delivered is an end too.
		p.promise(OutboxMessage("b", plainMessage))
		p.carry()
		p.receive(p.gateway.sent[2].Token, Failed)
		p.receive(p.gateway.sent[2].Token, Sent)
		p.receive(p.gateway.sent[2].Token, Delivered)
		p.stands("b", Failed, "kept")
		// What the gateway refuses has failed.
		p.gateway.fail = []error{fault.New(fault.Invalid, "test", "")}
		p.promise(OutboxMessage("c", plainMessage))
		p.carry()
		p.stands("c", Failed, "failed")
		c, err := p.messages.Count(p.Context())
		if err != nil || c.Repeats != 0 || c.States[Delivered] != 1 || c.States[Failed] != 2 {
			p.Errorf("%+v, %v", c, err)
		}
	})
}

// Only a send whose answer was lost is repeated, after two minutes, and counted.
func TestALostAnswerIsTriedAgainAfterTwoMinutes(t *testing.T) {
	eachPost(t, func(p *post) {
		p.gateway.fail = []error{fault.New(fault.Unknown, "test", "")}
		p.promise(OutboxMessage("a", plainMessage))
		p.carry()
		p.stands("a", Queued, "open")
		p.pass(119 * time.Second)
		p.carry()
		if len(p.gateway.sent) != 1 {
			p.Fatalf("%d sends within two minutes", len(p.gateway.sent))
		}
		p.pass(2 * time.Second)
		p.carry()
		p.stands("a", Sent, "kept")
		if len(p.gateway.sent) != 2 || p.repeats() != 1 {
			p.Errorf("%d sends, %d repeats counted", len(p.gateway.sent), p.repeats())
		}
	})
}

// An error that says nothing about the outcome leaves it open.
func TestAnyOtherErrorIsALostAnswer(t *testing.T) {
	eachPost(t, func(p *post) {
		p.gateway.fail = []error{errors.New("?")}
		p.promise(OutboxMessage("a", plainMessage))
		p.carry()
		p.pass(119 * time.Second)
		p.carry()
		if len(p.gateway.sent) != 1 {
			p.Errorf("%d sends", len(p.gateway.sent))
		}
	})
}

func TestAReceiptSavesARepeat(t *testing.T) {
	eachPost(t, func(p *post) {
		p.gateway.fail = []error{fault.New(fault.Unknown, "test", ""), fault.New(fault.Unknown, "test", "")}
		p.promise(OutboxMessage("a", plainMessage), OutboxMessage("b", plainMessage))
		p.carry()
		token := map[string]string{p.gateway.sent[0].ID: p.gateway.sent[0].Token, p.gateway.sent[1].ID: p.gateway.sent[1].Token}
		p.receive(token["a"], Sent)
		p.receive(token["b"], Delivered)
		p.pass(time.Hour)
		if p.carry() != 2 {
			p.Error("the promises were not taken up again")
		}
		p.stands("a", Sent, "kept")
		p.stands("b", Delivered, "kept")
		if len(p.gateway.sent) != 2 || p.repeats() != 0 {
			p.Errorf("%d sends, %d repeats counted", len(p.gateway.sent), p.repeats())
		}
	})
}

// A code is never repeated: its holder asks for another.
func TestCodesAreNotRepeated(t *testing.T) {
	eachPost(t, func(p *post) {
		p.gateway.fail = []error{fault.New(fault.Unknown, "test", "")}
		p.promise(p.sealer.OutboxMessage("a", secretMessage()))
		p.carry()
		p.stands("a", Queued, "open")
		p.pass(time.Hour)
		p.carry()
		p.stands("a", Failed, "failed")
		if len(p.gateway.sent) != 1 {
			p.Errorf("sent %d times", len(p.gateway.sent))
		}
	})
}

// A process that dies in the call leaves the same doubt as a lost answer.
func TestADeathInTheCallIsALostAnswer(t *testing.T) {
	eachPost(t, func(p *post) {
		p.promise(OutboxMessage("a", plainMessage), p.sealer.OutboxMessage("b", secretMessage()))
		var tasks []outbox.LeasedMessage
		err := p.db.InTx(p.Context(), func(ctx context.Context, tx *database.Tx) (err error) {
			tasks, err = claim(ctx, tx, 10)
			return err
		})
		if err != nil {
			p.Fatal(err)
		}
		for _, task := range tasks { // the call, and then nothing
			if err := newDesk(p.db, p.sealer, p.gateway).send(p.Context(), task); err != nil {
				p.Fatal(err)
			}
		}
		p.pass(61 * time.Second) // the lease is over
		p.carry()
		if len(p.gateway.sent) != 2 {
			p.Fatalf("%d sends", len(p.gateway.sent))
		}
		p.pass(time.Minute)
		p.carry()
		p.stands("a", Sent, "kept")
		p.stands("b", Failed, "failed")
		if len(p.gateway.sent) != 3 || p.repeats() != 1 {
			p.Errorf("%d sends, %d repeats counted", len(p.gateway.sent), p.repeats())
		}
	})
}

func TestTokens(t *testing.T) {
	eachPost(t, func(p *post) {
		p.promise(OutboxMessage("a", plainMessage), OutboxMessage("b", plainMessage))
		p.carry()
		mine := p.gateway.sent[0].Token
		if mine == p.gateway.sent[1].Token {
			p.Error("two messages have one token")
		}
		for _, forged := range []string{
			"", "x", mine[:len(mine)-1], mine + "A", strings.ToUpper(mine), "B" + mine[1:], mine[:len(mine)-1] + "!",
			sealer(t, "another secret").token(1),
		} {
			err := p.messages.Receive(p.Context(), Receipt{forged, Delivered})
			if !fault.Is(err, fault.NotFound) {
				p.Errorf("%q: %v", forged, err)
			}
		}
		for _, state := range []State{"", Queued, "read"} {
			if err := p.messages.Receive(p.Context(), Receipt{mine, state}); !fault.Is(err, fault.Invalid) {
				p.Errorf("a receipt of %q: %v", state, err)
			}
		}
		p.stands("a", Sent, "kept")
		// A message that isn't there (another database's) changes nothing.
		p.receive(p.sealer.token(12345), Delivered)
		p.stands("b", Sent, "kept")
	})
}

func TestList(t *testing.T) {
	eachPost(t, func(p *post) {
		other := plainMessage
		other.Phone = "+996550123456"
		p.promise(OutboxMessage("other", other))
		p.promise(p.sealer.OutboxMessage("a", secretMessage()))
		p.carry()
		p.promise(OutboxMessage("b", plainMessage))
		p.carry()
		p.promise(OutboxMessage("nothing", Message{Phone: number, Lang: "ru", Key: Nothing}))
		p.carry()
		list, older, err := p.messages.List(p.Context(), number, time.Time{}, 0, 1)
		if err != nil || len(list) != 1 || !older || !strings.Contains(list[0].Text, "12,50") || list[0].State != Sent ||
			time.Since(list[0].At) > time.Minute {
			p.Fatalf("%+v, %v, %v", list, older, err)
		}
		list, older, err = p.messages.List(p.Context(), number, time.Time{}, list[0].ID, 1)
		if err != nil || len(list) != 1 || older || !strings.Contains(list[0].Text, "••••••") {
			p.Fatalf("%+v, %v, %v", list, older, err)
		}
		for _, r := range p.gateway.sent {
			if r.ID == "a" && !strings.Contains(r.Text, "471193") {
				p.Errorf("sent %q", r.Text)
			}
		}
		var planted int
		row := p.db.Pool().QueryRowContext(p.Context(), "SELECT COUNT(*) FROM messages WHERE text LIKE '%471193%'")
		if err := row.Scan(&planted); err != nil || planted != 0 {
			p.Errorf("a code rests in the database: %d, %v", planted, err)
		}
	})
}
