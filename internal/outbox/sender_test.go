package outbox

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// sentMessage is a message as it is stored after an attempt to send it.
type sentMessage struct {
	state, payload string
	due            time.Time
}

// sendOne adds and acquires one message and sends it to an adapter that returns answer.
func sendOne(t *testing.T, db *database.DB, key string, attempts int, answer error) sentMessage {
	t.Helper()
	ctx := context.Background()
	var messages []LeasedMessage
	err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		if err = Add(ctx, tx, Message{Queue: "test", Key: key, Payload: "text"}); err != nil {
			return err
		}
		messages, err = Acquire(ctx, tx, "test", 1, time.Minute)
		return err
	})
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	messages[0].Attempts = attempts
	NewSender(db, SenderOptions{Queue: "test", Send: func(ctx context.Context, _ LeasedMessage) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("Send has no deadline")
		}
		return answer
	}}).Do(ctx, messages[0])
	var r sentMessage
	err = db.Pool().QueryRowContext(ctx, "SELECT state, payload, due_at FROM promises WHERE id = $1", messages[0].ID).Scan(&r.state, &r.payload, &r.due)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSenderOutcomes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if r := sendOne(t, db, "sent", 1, nil); r.state != "kept" || r.payload != "" {
			t.Errorf("sent: %+v", r)
		}
		if r := sendOne(t, db, "refused", 1, fault.New(fault.Invalid, "test", "")); r.state != "failed" || r.payload != "" {
			t.Errorf("refused: %+v", r)
		}
		for name, err := range map[string]error{
			"unavailable": fault.New(fault.Unavailable, "test", ""), "unknown": fault.New(fault.Unknown, "test", ""), "other": errors.New("?"),
		} {
			if r := sendOne(t, db, name, 1, err); r.state != "open" || r.payload == "" || !r.due.After(db.Now()) {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if r := sendOne(t, db, "last attempt", defaultMaxAttempts, fault.New(fault.Unavailable, "test", "")); r.state != "failed" {
			t.Errorf("after %d attempts: %+v", defaultMaxAttempts, r)
		}
	})
}

func TestRetryDelayGrows(t *testing.T) {
	var total time.Duration
	down := fault.New(fault.Unavailable, "test", "")
	for attempts := 1; attempts < defaultMaxAttempts; attempts++ {
		if attempts > 1 && retryDelay(attempts, down) < retryDelay(attempts-1, down) {
			t.Errorf("delay %d is shorter", attempts)
		}
		total += retryDelay(attempts, down)
	}
	if retryDelay(1, down) != 2*time.Second || retryDelay(defaultMaxAttempts, down) != maxRetryDelay || total < 20*time.Hour || total > 30*time.Hour {
		t.Errorf("first %v, last %v, in all %v", retryDelay(1, down), retryDelay(defaultMaxAttempts, down), total)
	}
}

// Results of concurrent attempts are recorded in one transaction. A result that
// cannot be recorded does not affect the others.
func TestSenderRecordsResultsTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		answers := map[string]error{"first": nil, "sent": nil, "bad": nil, "refused": fault.New(fault.Invalid, "test", ""), "unavailable": fault.New(fault.Unavailable, "test", "")}
		var messages []LeasedMessage
		err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
			for key := range answers {
				if err = Add(ctx, tx, Message{Queue: "test", Key: key, Payload: "text"}); err != nil {
					return err
				}
			}
			messages, err = Acquire(ctx, tx, "test", 10, time.Minute)
			return err
		})
		if err != nil || len(messages) != len(answers) {
			t.Fatalf("%d messages, %v", len(messages), err)
		}
		recording, others := make(chan struct{}), make(chan struct{}, len(answers))
		largest := 0
		worker := NewSender(db, SenderOptions{
			Queue: "test",
			Send: func(_ context.Context, m LeasedMessage) error {
				if m.Key != "first" {
					<-recording
					defer func() { others <- struct{}{} }()
				}
				return answers[m.Key]
			},
			Record: func(_ *database.Tx, list []SendResult) error {
				if list[0].Message.Key == "first" { // the others are answered, and wait
					close(recording)
					for range len(answers) - 1 {
						<-others
					}
					time.Sleep(50 * time.Millisecond)
				}
				largest = max(largest, len(list))
				for _, c := range list {
					if c.Message.Key == "bad" {
						return errors.New("it can't be recorded")
					}
				}
				return nil
			},
		})
		var all sync.WaitGroup
		for _, m := range messages {
			all.Go(func() { worker.Do(ctx, m) })
		}
		all.Wait()
		if largest < 2 {
			t.Errorf("the largest batch had %d results", largest)
		}
		for key, want := range map[string]string{"first": "kept", "sent": "kept", "bad": "open", "refused": "failed", "unavailable": "open"} {
			var state string
			var lease int64
			if err := db.Pool().QueryRowContext(ctx, "SELECT state, lease FROM promises WHERE key = $1", key).Scan(&state, &lease); err != nil {
				t.Fatal(err)
			}
			if held := lease != 0; state != want || (state == "open" && held != (key == "bad")) {
				t.Errorf("%s is %s, lease %d; want %s", key, state, lease, want)
			}
		}
	})
}
