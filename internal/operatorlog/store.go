package operatorlog

import (
	"context"

	"elsom/internal/database"
	"elsom/internal/signature"
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

// insert signs an entry and inserts it. A command that needs no key of the books leaves
// an entry without a signature if it has none.
func insert(tx *database.Tx, e Entry) error {
	e.ID, e.DoneAt = tx.NewID(), tx.Now()
	var mac []byte
	var keyID string
	if tx.HasKeys() {
		mac, keyID = tx.Sign(e.record())
	}
	return tx.Gorm().Exec(`INSERT INTO operator_log (id, done_at, command, os_user, staff, reason, subject, state_before, state_after, mac, key_id)
		VALUES (?,?,?,?,?,?,?,?,?,?,?)`, e.ID, e.DoneAt, e.Name, e.OSUser, e.Staff, e.Reason, e.Subject, e.Before, e.After, mac, keyID).Error
}

// record returns the canonical form of an entry. It is stored in signatures and in the
// log, so it never changes.
func (e Entry) record() *signature.Record {
	return signature.NewRecord(signature.Operation, e.ID).Time(e.DoneAt).Text(e.Name).Text(e.OSUser).Text(e.Staff).Text(e.Reason).
		Text(e.Subject).Text(e.Before).Text(e.After)
}

// listAfter returns up to n entries after one of them, in the order of their times; the
// zero Entry selects the first.
func listAfter(ctx context.Context, db *database.DB, f Filter, last Entry, n int) ([]Entry, error) {
	return database.ScanAll(db.Gorm(ctx).Raw(`SELECT id, done_at, command, os_user, staff, reason, subject, state_before, state_after
		FROM operator_log WHERE done_at >= ? AND (done_at, id) > (?, ?) AND (? = '' OR subject = ?) ORDER BY done_at, id LIMIT ?`,
		f.Since, last.DoneAt, last.ID, f.Subject, f.Subject, n), func(e *Entry) []any {
		return []any{&e.ID, &e.DoneAt, &e.Name, &e.OSUser, &e.Staff, &e.Reason, &e.Subject, &e.Before, &e.After}
	})
}
