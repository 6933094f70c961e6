package courier

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/outbox"
)

// row is a promise after it was carried.
type row struct {
	state, payload string
	due            time.Time
}

// carried promises, claims and carries one message whose wire answers err.
func carried(t *testing.T, db *database.DB, key string, tries int, answer error) row {
	t.Helper()
	ctx := context.Background()
	var tasks []outbox.LeasedMessage
	err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		if err = outbox.Add(ctx, tx, outbox.Message{Queue: "test", Key: key, Payload: "words"}); err != nil {
			return err
		}
		tasks, err = outbox.Acquire(ctx, tx, "test", 1, time.Minute)
		return err
	})
	if err != nil || len(tasks) != 1 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	tasks[0].Attempts = tries
	NewSender(db, SenderOptions{Queue: "test", Send: func(ctx context.Context, _ outbox.LeasedMessage) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the wire may take for ever")
		}
		return answer
	}}).Do(ctx, tasks[0])
	var r row
	err = db.Pool().QueryRowContext(ctx, "SELECT state, payload, due_at FROM promises WHERE id = $1", tasks[0].ID).Scan(&r.state, &r.payload, &r.due)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCarry(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if r := carried(t, db, "sent", 1, nil); r.state != "kept" || r.payload != "" {
			t.Errorf("sent: %+v", r)
		}
		if r := carried(t, db, "refused", 1, fault.New(fault.Invalid, "test", "")); r.state != "failed" || r.payload != "" {
			t.Errorf("refused for good: %+v", r)
		}
		for name, err := range map[string]error{
			"unavailable": fault.New(fault.Unavailable, "test", ""), "unknown": fault.New(fault.Unknown, "test", ""), "other": errors.New("?"),
		} {
			if r := carried(t, db, name, 1, err); r.state != "open" || r.payload == "" || !r.due.After(db.Now()) {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if r := carried(t, db, "at last", defaultMaxAttempts, fault.New(fault.Unavailable, "test", "")); r.state != "failed" {
			t.Errorf("after %d tries: %+v", defaultMaxAttempts, r)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	var total time.Duration
	down := fault.New(fault.Unavailable, "test", "")
	for tries := 1; tries < defaultMaxAttempts; tries++ {
		if tries > 1 && retryDelay(tries, down) < retryDelay(tries-1, down) {
			t.Errorf("pause %d is shorter", tries)
		}
		total += retryDelay(tries, down)
	}
	if retryDelay(1, down) != 2*time.Second || retryDelay(defaultMaxAttempts, down) != maxRetryDelay || total < 20*time.Hour || total > 30*time.Hour {
		t.Errorf("first %v, last %v, in all %v", retryDelay(1, down), retryDelay(defaultMaxAttempts, down), total)
	}
}

// Messages that were sent meanwhile are recorded together. One that can't be
// recorded stops no other, and is carried again when its lease ends.
func TestRecordedTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		answers := map[string]error{"first": nil, "sent": nil, "bad": nil, "refused": fault.New(fault.Invalid, "test", ""), "away": fault.New(fault.Unavailable, "test", "")}
		var tasks []outbox.LeasedMessage
		err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
			for key := range answers {
				if err = outbox.Add(ctx, tx, outbox.Message{Queue: "test", Key: key, Payload: "words"}); err != nil {
					return err
				}
			}
			tasks, err = outbox.Acquire(ctx, tx, "test", 10, time.Minute)
			return err
		})
		if err != nil || len(tasks) != len(answers) {
			t.Fatalf("%d tasks, %v", len(tasks), err)
		}
		recording, others := make(chan struct{}), make(chan struct{}, len(answers))
		most := 0
		worker := NewSender(db, SenderOptions{
			Queue: "test",
			Send: func(_ context.Context, task outbox.LeasedMessage) error {
				if task.Key != "first" {
					<-recording
					defer func() { others <- struct{}{} }()
				}
				return answers[task.Key]
			},
			Record: func(_ *database.Tx, list []SendResult) error {
				if list[0].Message.Key == "first" { // the others are answered, and wait
					close(recording)
					for range len(answers) - 1 {
						<-others
					}
					time.Sleep(50 * time.Millisecond)
				}
				most = max(most, len(list))
				for _, c := range list {
					if c.Message.Key == "bad" {
						return errors.New("it can't be recorded")
					}
				}
				return nil
			},
		})
		var all sync.WaitGroup
		for _, task := range tasks {
			all.Go(func() { worker.Do(ctx, task) })
		}
		all.Wait()
		if most < 2 {
			t.Errorf("%d were recorded together", most)
		}
		for key, want := range map[string]string{"first": "kept", "sent": "kept", "bad": "open", "refused": "failed", "away": "open"} {
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
