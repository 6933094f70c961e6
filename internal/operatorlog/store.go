package operatorlog

import (
	"context"
	"time"

	"elsom/internal/database"
)

// entryRider inserts entries in the transactions of their postings.
var entryRider = &database.RiderKind[Entry]{
	Name: "operator log",
	Write: func(tx *database.Tx, entries []Entry) error {
		for _, e := range entries { // one for each command
			if err := insert(tx, e); err != nil {
				return err
			}
		}
		return nil
	},
}

func insert(tx *database.Tx, e Entry) error {
	return tx.Gorm().Exec(`INSERT INTO operator_log (id, done_at, command, os_user, staff, reason, subject, state_before, state_after)
		VALUES (?,?,?,?,?,?,?,?,?)`, tx.NewID(), tx.Now(), e.Name, e.OSUser, e.Staff, e.Reason, e.Subject, e.Before, e.After).Error
}

func list(ctx context.Context, db *database.DB, since time.Time, limit int) ([]Entry, error) {
	return database.ScanAll(db.Gorm(ctx).Raw(`SELECT id, done_at, command, os_user, staff, reason, subject, state_before, state_after
		FROM operator_log WHERE done_at >= ? ORDER BY done_at, id LIMIT ?`, since, limit), func(e *Entry) []any {
		return []any{&e.ID, &e.DoneAt, &e.Name, &e.OSUser, &e.Staff, &e.Reason, &e.Subject, &e.Before, &e.After}
	})
}
