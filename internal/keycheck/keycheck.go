// Package keycheck refuses a server key other than the one that a database was
// first served with.
//
// Data that was sealed or hashed with one key is silently lost with another: every
// PIN is wrong, and customers get locked out. So the database stores a check value
// of each key, a keyed hash that doesn't reveal the key. Rows have an id: a key
// that replaces another one gets its own row.
package keycheck

import (
	"context"
	"fmt"
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
}

// firstID is the id of each name's first key.
const firstID = 1

// check returns the check value of a key.
func (k Key) check(id int64) string {
	//mutant:replace k.Value => nil TestRecordRefusesOtherKeys
	return keyedhash.Key(k.Value).Hex(fmt.Sprintf("elsom key check: %s %d", k.Name, id))
}

// Mismatch is a key that differs from the database's.
type Mismatch struct {
	Name Name
	// Since is when the database's key was recorded.
	Since time.Time
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

// Verify compares the keys with the recorded check values, and writes nothing. A key
// without a record passes, as in a database that was never served. A wrong key is a
// MismatchError.
func Verify(ctx context.Context, db *database.DB, keys ...Key) error {
	_, err := verify(ctx, db, keys)
	return err
}

// verify also reports whether each key has a record.
func verify(ctx context.Context, db *database.DB, keys []Key) (complete bool, err error) {
	recorded, err := newest(ctx, db)
	if err != nil {
		return false, fmt.Errorf("keycheck: %w", err)
	}
	complete = true
	var wrong MismatchError
	for _, k := range keys {
		r, ok := recorded[k.Name]
		complete = complete && ok
		if ok && !keyedhash.Equal(r.CheckValue, k.check(r.ID)) {
			wrong = append(wrong, Mismatch{k.Name, r.CreatedAt})
		}
	}
	if len(wrong) > 0 {
		return complete, wrong
	}
	return complete, nil
}

// Record stores check values of the keys that have none, all in one statement, then
// verifies all. If several processes with different keys start on one database, the
// first one's keys are recorded, and the others fail.
func Record(ctx context.Context, db *database.DB, keys ...Key) error {
	if complete, err := verify(ctx, db, keys); complete || err != nil {
		return err
	}
	if err := insert(ctx, db, keys); err != nil {
		return fmt.Errorf("keycheck: %w", err)
	}
	return Verify(ctx, db, keys...)
}
