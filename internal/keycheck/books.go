package keycheck

import (
	"context"
	"fmt"
	"slices"

	"elsom/internal/database"
)

// Books is the name of the keys that sign rows. Of them the ids are recorded, which
// are in the rows too: the highest number is the key that signs, earlier ones verify.
const Books Name = "books"

// VerifyBooks compares the ids of the books' keys with the recorded ones, and writes
// nothing. The newest recorded key must be among them, since another portal signs with
// it; a MismatchError says that it is not. No keys pass only where none are recorded.
func VerifyBooks(ctx context.Context, db *database.DB, ids []string) error {
	_, err := verifyBooks(ctx, db, ids)
	return err
}

// verifyBooks returns the recorded keys, oldest first.
func verifyBooks(ctx context.Context, db *database.DB, ids []string) ([]row, error) {
	byName, err := list(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("keycheck: %w", err)
	}
	recorded := byName[Books]
	//mutant:drop TestBooksKeysRotate
	if n := len(recorded); n > 0 && !slices.Contains(ids, recorded[n-1].CheckValue) {
		return recorded, MismatchError{{Books, recorded[n-1].CreatedAt, len(ids) == 0}}
	}
	return recorded, nil
}

// RecordBooks records the first of the books' keys, which signs, unless it is recorded,
// and verifies all as VerifyBooks does. Of portals that start at once with different
// keys the first one's are recorded, and the others fail.
func RecordBooks(ctx context.Context, db *database.DB, ids []string) error {
	recorded, err := verifyBooks(ctx, db, ids)
	if err != nil || len(ids) == 0 || slices.ContainsFunc(recorded, func(r row) bool { return r.CheckValue == ids[0] }) {
		return err
	}
	next := row{Name: Books, ID: firstID, CheckValue: ids[0], CreatedAt: db.Now()}
	if n := len(recorded); n > 0 {
		next.ID = recorded[n-1].ID + 1
	}
	if err := insert(ctx, db, []row{next}); err != nil {
		return fmt.Errorf("keycheck: %w", err)
	}
	return VerifyBooks(ctx, db, ids)
}
