package report_test

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
	"elsom/internal/report"
)

func TestStand(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		began := db.Now()
		err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			return outbox.Add(ctx, tx, outbox.Promise{Lane: "sms", Key: "1"}, outbox.Promise{Lane: "sms", Key: "2"},
				outbox.Promise{Lane: "email", Key: "1"})
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := report.Stand(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Lanes) != 2 || got.Lanes[1].Name != "sms" || got.Lanes[1].Open != 2 || got.Lanes[1].Oldest.Before(began) {
			t.Errorf("%+v", got)
		}
	})
}
