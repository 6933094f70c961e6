package payment

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/outbox"
)

// drainBatch is the largest number of messages moved in one transaction.
const drainBatch = 100

// Drain moves the due deliveries that are outbox messages of the previous release, which
// adds and acquires them there while it runs beside this one, to the rows of their payments,
// and returns their number. A message is due there only while no worker has it. The
// previous release doesn't deliver payments that this one has accepted. The next release
// needs nothing of this file.
func (ps *Payments) Drain(ctx context.Context) (moved int, err error) {
	queues, err := outbox.OpenQueues(ctx, ps.db)
	if err != nil {
		return 0, err
	}
	for _, queue := range queues {
		if !strings.HasPrefix(queue, Queue("")) {
			continue
		}
		for {
			due, err := outbox.CountDue(ctx, ps.db, queue, drainBatch)
			if err != nil {
				return moved, err
			}
			if due == 0 {
				break
			}
			n, err := ps.move(ctx, queue, due)
			if moved += n; err != nil || n == 0 {
				return moved, err
			}
			ps.notifier.Notify(queue)
		}
	}
	return moved, nil
}

// move moves up to n messages of a queue in one transaction. Messages are not signed:
// whatever one says, the payment is delivered to its own biller, as it is signed.
func (ps *Payments) move(ctx context.Context, queue string, n int) (moved int, err error) {
	err = ps.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		messages, err := outbox.Acquire(ctx, tx, queue, n, time.Minute)
		if err != nil {
			return err
		}
		moved = len(messages)
		var ids []int64
		for _, m := range messages {
			id, err := strconv.ParseInt(m.Key, 10, 64)
			if err != nil {
				slog.ErrorContext(ctx, "payment: delivery of the previous release not read", "queue", queue, "key", m.Key, "error", err)
				continue
			}
			ids = append(ids, id)
		}
		if err := makeDue(tx, ids); err != nil {
			return err
		}
		//mutant:replace return outbox.Complete(ctx, tx, messages...) => return nil TestDeliveriesOfThePreviousRelease
		return outbox.Complete(ctx, tx, messages...)
	})
	return moved, err
}
