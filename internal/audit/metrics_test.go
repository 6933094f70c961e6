package audit_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/testkit/require"
)

func TestReadMetrics(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		began := db.Now()
		err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			// The first is one of the previous release.
			err := outbox.Add(ctx, tx, outbox.Message{Queue: "sms", Key: "1"}, outbox.Message{Queue: "email", Key: "1"})
			if err != nil {
				return err
			}
			return sms.Add(ctx, tx, sms.OutboxMessage("2", sms.Message{Lang: "ru", Phone: "+996700123456", Key: "sms.pin_changed"}))
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := audit.ReadMetrics(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		// A payment open for more than a day waits for a decision, marked or not.
		b := newBook(t, db)
		for age, want := range map[time.Duration]int64{23 * time.Hour: 0, 25 * time.Hour: 1} {
			databasetest.Tamper(t, db, "UPDATE payments SET accepted_at = ? WHERE id = ?", database.StoredTime(db.Now().Add(-age)), b.processing)
			if s, err := audit.ReadMetrics(ctx, db); err != nil || s.Processing != 1 || s.Undecided != want {
				t.Errorf("open for %s: %+v, %v", age, s, err)
			}
		}
		databasetest.Tamper(t, db, "UPDATE payments SET accepted_at = ?, asked_at = ? WHERE id = ?", db.Now(), db.Now(), b.processing)
		if s, err := audit.ReadMetrics(ctx, db); err != nil || s.Undecided != 1 {
			t.Errorf("asked for: %+v, %v", s, err)
		}
		queues := require.Value(audit.ReadMetrics(ctx, db))(t).Queues
		if len(queues) != 3 || queues[0].Name != "biller:dostek" || queues[0].Open != 1 || queues[0].Oldest.Before(began) {
			t.Errorf("%+v", queues)
		}
		if len(got.Queues) != 2 || got.Queues[1].Name != "sms" || got.Queues[1].Open != 2 || got.Queues[1].Oldest.Before(began) {
			t.Errorf("%+v", got)
		}
	})
}
