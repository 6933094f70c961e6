// Package keycheck refuses a server key other than the one that a database was
// first served with.
//
// Data that was sealed or hashed with one key is silently lost with another: every
// PIN is wrong, and customers get locked out. So the database stores a check value
// of each key, a keyed hash that doesn't reveal the key. A key that replaces another
// one gets its own row: while it does, every process has both, one as the key in use
// and one as the previous, and the newest recorded key must be one of them.
package keycheck

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/keyedhash"
)

// Name is the purpose of a key.
type Name string

// The keys that a database depends on.
const (
	Secret Name = "secret"
	Pepper Name = "pepper"
)

// Key is a key as it is configured.
type Key struct {
	Name  Name
	Value []byte
	// Previous is accepted beside Value while one of them replaces the other; empty:
	// none.
	Previous []byte
}

// firstID is the id of each name's first key.
const firstID = 1

// check returns the check value of a key's value.
func (k Key) check(value []byte, id int64) string {
	//mutant:replace keyedhash.New(value) => keyedhash.New(nil) TestRecordRefusesOtherKeys
	return keyedhash.New(value).Hex(fmt.Sprintf("elsom key check: %s %d", k.Name, id))
}

// is reports whether a row is of a value of the key.
func (k Key) is(value []byte, r row) bool {
	return len(value) > 0 && keyedhash.Equal(r.CheckValue, k.check(value, r.ID))
}

// Mismatch is a key that differs from the database's.
type Mismatch struct {
	Name Name
	// Since is when the database's key was recorded.
	Since time.Time
	// Missing reports that there is no key at all.
	Missing bool
}

// MismatchError lists the keys that differ from the database's.
type MismatchError []Mismatch

func (e MismatchError) Error() string {
	names := make([]string, len(e))
	for i, m := range e {
		names[i] = string(m.Name)
	}
	return "keycheck: not the keys of this database: " + strings.Join(names, ", ")
}

// Verify compares the keys with the newest recorded check values, and writes nothing. A
// key without a record passes, as in a database that was never served. A wrong key is a
// MismatchError.
func Verify(ctx context.Context, db *database.DB, keys ...Key) error {
	_, err := verify(ctx, db, keys)
	return err
}

// verify also returns the rows that Record has to insert.
func verify(ctx context.Context, db *database.DB, keys []Key) (missing []row, err error) {
	recorded, err := list(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("keycheck: %w", err)
	}
	var wrong MismatchError
	for _, k := range keys {
		rows := recorded[k.Name]
		if len(rows) == 0 {
			missing = append(missing, k.row(firstID, db.Now()))
			continue
		}
		newest := rows[len(rows)-1]
		switch {
		case k.is(k.Value, newest):
		//mutant:drop TestNewestKeyIsVerified
		case !k.is(k.Previous, newest):
			wrong = append(wrong, Mismatch{k.Name, newest.CreatedAt, false})
		// A key with an older row is the one that is being replaced.
		//mutant:drop TestKeysAreReplacedInSteps
		case !slices.ContainsFunc(rows, func(r row) bool { return k.is(k.Value, r) }):
			missing = append(missing, k.row(newest.ID+1, db.Now()))
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return missing, nil
}

func (k Key) row(id int64, now time.Time) row {
	return row{Name: k.Name, ID: id, CheckValue: k.check(k.Value, id), CreatedAt: now}
}

// Record stores check values of the keys that have none, all in one statement, then
// verifies all. If several processes with different keys start on one database, the
// first one's keys are recorded, and the others fail.
func Record(ctx context.Context, db *database.DB, keys ...Key) error {
	missing, err := verify(ctx, db, keys)
	if len(missing) == 0 || err != nil {
		return err
	}
	if err := insert(ctx, db, missing); err != nil {
		return fmt.Errorf("keycheck: %w", err)
	}
	return Verify(ctx, db, keys...)
}

// Since returns when the key in use was recorded; zero if it was not, or if another
// key replaces it.
func Since(ctx context.Context, db *database.DB, k Key) (time.Time, error) {
	recorded, err := list(ctx, db)
	rows := recorded[k.Name]
	if err != nil || len(rows) == 0 || !k.is(k.Value, rows[len(rows)-1]) {
		return time.Time{}, err
	}
	return rows[len(rows)-1].CreatedAt, nil
}
