package database_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

func record(id int64) *signature.Record { return signature.NewRecord(signature.Agent, id).Text("kicb") }

// queuedItems returns the signed rows that are queued for the log, by transaction.
func queuedItems(t *testing.T, db *database.DB) (lists [][]signature.Item) {
	t.Helper()
	var rows []struct {
		ID      int64
		Records []byte
	}
	if err := db.Gorm(t.Context()).Raw("SELECT id, records FROM log_queue ORDER BY id").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		items, ok := signature.ParseItems(r.Records)
		if !ok || !databasetest.Keys().IsBatch(r.Records, r.ID) {
			t.Fatalf("not a list: %x", r.Records)
		}
		lists = append(lists, items)
	}
	return lists
}

// What a transaction signs is queued when it commits, in as few rows as its statements
// allow, and not at all when it fails.
func TestSignedRowsAreQueued(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var macs [][]byte
		sign := func(tx *database.Tx, ids ...int64) {
			for _, id := range ids {
				mac, keyID := tx.Sign(record(id))
				if err := db.Verify(t.Context(), record(id), mac, keyID); err != nil {
					t.Error(err)
				}
				macs = append(macs, mac)
			}
			_, _ = tx.MAC(record(6)) // signed, and not written
		}
		failed := errors.New("failed")
		for _, c := range []struct {
			run  func(tx *database.Tx) error
			want error
		}{
			{func(tx *database.Tx) error { sign(tx, 1, 2); return nil }, nil},
			{func(tx *database.Tx) error { sign(tx, 3); return failed }, failed},
			{func(tx *database.Tx) error { return nil }, nil},
			{func(tx *database.Tx) error { // some before the statement, some after it
				sign(tx, 4)
				err := tx.Write(database.WriteSet{})
				sign(tx, 5)
				return err
			}, nil},
		} {
			if err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return c.run(tx) }); !errors.Is(err, c.want) {
				t.Fatal(err)
			}
		}
		lists := queuedItems(t, db)
		var ids []int64
		for _, list := range lists {
			for _, item := range list {
				if item.Kind == signature.Batch {
					continue
				}
				ids = append(ids, item.ID)
				if item.Kind != signature.Agent || item.Leaf != record(item.ID).LeafHash(macs[item.ID-1]) {
					t.Errorf("queued %+v", item)
				}
			}
		}
		if len(lists) != 3 || len(ids) != 4 || ids[0] != 1 || ids[1] != 2 || ids[2] != 4 || ids[3] != 5 {
			t.Errorf("queued %v in %d rows", ids, len(lists))
		}
	})
}

// On PostgreSQL the queue's row is written by the statement of the write set: signing
// costs no round trip.
func TestWriteQueuesInItsStatement(t *testing.T) {
	var statements []string
	db := databasetest.Postgres(t, database.WithTrace(func(statement string, _ []any) { statements = append(statements, statement) }))
	if err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		statements = nil
		_, _ = tx.Sign(record(1))
		return tx.Write(database.WriteSet{
			Update:  database.Update{Set: "catalog_state SET version = v.n", Where: "catalog_state.id = v.id", Values: []database.Column{database.NewColumn("id", "bigint", []int64{1}), database.NewColumn("n", "bigint", []int64{1})}},
			Inserts: []database.Rows{{Table: "drafts", Columns: []database.Column{database.NewColumn("id", "bigint", []int64{})}}},
		})
	}); err != nil {
		t.Fatal(err)
	}
	if len(statements) != 3 || !strings.Contains(statements[1], "log_queue") || statements[2] != "commit" {
		t.Errorf("statements: %q", statements)
	}
	if len(queuedItems(t, db)) != 1 {
		t.Error("not queued")
	}
}

func TestNoKeysQueueNothing(t *testing.T) {
	db := databasetest.SQLite(t, database.WithKeys(nil, false))
	if err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		if mac, keyID := tx.Sign(record(1)); mac != nil || keyID != "" {
			t.Errorf("signed: %x %s", mac, keyID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if lists := queuedItems(t, db); lists != nil {
		t.Errorf("queued %v", lists)
	}
	if err := db.Verify(t.Context(), record(1), []byte("x"), "y"); err != nil {
		t.Errorf("without keys: %v", err)
	}
}

// A statement that commits by itself can't queue what it signs.
func TestInStatementRefusesToSign(t *testing.T) {
	db := databasetest.SQLite(t)
	defer func() {
		if recover() == nil {
			t.Error("signed")
		}
	}()
	_ = db.InStatement(t.Context(), func(tx *database.Tx) error { _, _ = tx.Sign(record(1)); return nil })
}

// Only a database that was in use before rows were signed permits unsigned rows, and
// the operator can forbid them whatever it says.
func TestUnsignedRows(t *testing.T) {
	keys := databasetest.Keys()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		if err := db.Verify(ctx, record(1), nil, ""); !errors.Is(err, signature.ErrUnsigned) {
			t.Errorf("in a new database: %v", err)
		}
		if _, err := databasetest.Owner(t, db).Pool().ExecContext(ctx, "INSERT INTO unsigned_allowed (id) VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		if err := db.Verify(ctx, record(1), nil, ""); !errors.Is(err, signature.ErrUnsigned) {
			t.Errorf("permitted to a process that saw that they were not: %v", err)
		}
		database.WithKeys(keys, false)(db) // another process
		if err := db.Verify(ctx, record(1), nil, ""); err != nil {
			t.Errorf("permitted: %v", err)
		}
		mac, keyID := keys.Sign(record(1))
		if err := db.Verify(ctx, record(2), mac, keyID); !errors.Is(err, signature.ErrForged) || !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "agent 2") {
			t.Errorf("another row's mac: %v", err)
		}
		database.WithKeys(keys, true)(db)
		if err := db.Verify(ctx, record(1), nil, ""); !errors.Is(err, signature.ErrUnsigned) {
			t.Errorf("enforced: %v", err)
		}
		if n := db.UnverifiedCount(); n != 4 {
			t.Errorf("%d failures were counted", n)
		}
	})
}

// Only a record that is signed ends the permission: one that the program's role inserts
// without the key doesn't.
func TestForgedEndOfThePermission(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		databasetest.Tamper(t, db, "INSERT INTO signing_starts (id, started_at, origin, mac, key_id) VALUES (1, ?, 'baseline', 'x', ?)", db.Now(), databasetest.Keys().IDs()[0])
		if err := db.Verify(t.Context(), record(1), nil, ""); err != nil {
			t.Error(err)
		}
	})
}

// More rows than are verified end the permission, whatever they are.
func TestFloodedStartsEndThePermission(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		flood := func(first, last int) {
			t.Helper()
			databasetest.Tamper(t, db, fmt.Sprintf(`WITH RECURSIVE ids(id) AS (SELECT %d UNION ALL SELECT id + 1 FROM ids WHERE id < %d)
				INSERT INTO signing_starts (id, started_at, origin) SELECT ids.id, ?, 'new' FROM ids`, first, last), db.Now())
		}
		allowed := func(want bool) {
			t.Helper()
			if err := db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
				if got, err := tx.UnsignedAllowed(); err != nil || got != want {
					t.Errorf("allowed: %v, %v", got, err)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		flood(1, 10_000)
		allowed(true)
		flood(10_001, 10_001)
		allowed(false)
	})
}

// A program without a key can't write rows into books that are signed, unless they
// permit rows without a signature.
func TestUnsignedWritesAreRefused(t *testing.T) {
	const (
		recorded = "INSERT INTO server_keys (name, id, check_value, created_at) VALUES ('books', 1, 'x', '2026-01-01 00:00:00+00')"
		allowed  = "INSERT INTO unsigned_allowed (id) VALUES (1)"
		ended    = "INSERT INTO signing_starts (id, started_at, origin) VALUES (1, '2026-01-01 00:00:00+00', 'baseline')"
	)
	for name, c := range map[string]struct {
		statements []string
		refused    bool
	}{
		"no key was ever used":       {nil, false},
		"a portal recorded a key":    {[]string{recorded}, true},
		"a signed row is queued":     {[]string{"INSERT INTO log_queue (id, records) VALUES (1, '')"}, true},
		"a signed row is in the log": {[]string{"UPDATE log_state SET size = 1"}, true},
		"unsigned rows are allowed":  {[]string{recorded, allowed}, false},
		"until they are not":         {[]string{recorded, allowed, ended}, true},
	} {
		t.Run(name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				for _, statement := range c.statements {
					databasetest.Tamper(t, db, statement)
				}
				write := func(_ context.Context, tx *database.Tx) error { _, _ = tx.Sign(record(1)); return nil }
				database.WithKeys(nil, false)(db)
				for _, err := range []error{db.CheckKeys(t.Context()), db.InTx(t.Context(), write)} {
					if refused := errors.Is(err, database.ErrNeedsKey) && fault.Is(err, fault.Unavailable); refused != c.refused || (err != nil) != c.refused {
						t.Errorf("without a key: %v", err)
					}
				}
				if err := db.InTx(t.Context(), func(context.Context, *database.Tx) error { return nil }); err != nil {
					t.Errorf("nothing is signed: %v", err)
				}
				database.WithKeys(databasetest.Keys(), false)(db)
				for _, err := range []error{db.CheckKeys(t.Context()), db.InTx(t.Context(), write)} {
					if err != nil {
						t.Errorf("with a key: %v", err)
					}
				}
			})
		})
	}
}

// Bytes that are nil are stored as NULL, in a short statement and in a long one.
func TestNilBytesAreNull(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, comment := range []string{"", "/* " + strings.Repeat("long ", 1000) + "*/ "} {
			var null bool
			cast := map[database.Dialect]string{database.SQLite: "?", database.Postgres: "?::bytea"}[db.Dialect()]
			if err := db.Gorm(t.Context()).Raw("SELECT "+comment+cast+" IS NULL", []byte(nil)).Scan(&null).Error; err != nil || !null {
				t.Errorf("%d bytes: %t, %v", len(comment), null, err)
			}
		}
	})
}
