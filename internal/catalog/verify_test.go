package catalog_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/origin"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
)

// refuses reports whether nothing of the catalog decides about money.
func refuses(t *testing.T, c *catalog.Catalog) bool {
	t.Helper()
	_, biller := c.Biller(t.Context(), catalog.DostekBiller)
	_, level := c.Level(t.Context(), catalog.StandardLevel)
	_, service := c.Service(t.Context(), "dostek")
	if fault.Is(biller, fault.Unavailable) != fault.Is(level, fault.Unavailable) || fault.Is(level, fault.Unavailable) != fault.Is(service, fault.Unavailable) {
		t.Errorf("biller: %v, level: %v, service: %v", biller, level, service)
	}
	return fault.Is(biller, fault.Unavailable)
}

// Tables that are not as the newest signed version has them are not used for money,
// whatever was changed. A process that had read the catalog before goes on with it.
func TestChangedTablesAreNotUsed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		running := seeded(t, db, development)
		require.Value(running.Level(ctx, catalog.StandardLevel))(t)
		for name, statements := range map[string][2]string{
			"address":       {"UPDATE catalog_billers SET url = 'https://evil.example/' WHERE code = 'dostek'", "UPDATE catalog_billers SET url = '' WHERE code = 'dostek'"},
			"terms":         {"UPDATE catalog_billers SET answers_stored_outcome = TRUE", "UPDATE catalog_billers SET answers_stored_outcome = FALSE"},
			"fee":           {"UPDATE catalog_services SET fee_fixed = 1 WHERE code = 'dostek'", "UPDATE catalog_services SET fee_fixed = 0"},
			"limit":         {"UPDATE catalog_levels SET month = 0 WHERE code = 'standard'", "UPDATE catalog_levels SET month = 100000000 WHERE code = 'standard'"},
			"another level": {"UPDATE catalog_levels SET retired = TRUE WHERE code = 'standard'", "UPDATE catalog_levels SET retired = FALSE WHERE code = 'standard'"},
			"version":       {"UPDATE catalog_versions SET content = content || ' '", "UPDATE catalog_versions SET content = substr(content, 1, length(content) - 1)"},
			"signature":     {"UPDATE catalog_versions SET key_id = 'b-0'", "UPDATE catalog_versions SET key_id = (SELECT k FROM kept)"},
		} {
			databasetest.TamperAll(t, db, "CREATE TABLE kept AS SELECT key_id AS k FROM catalog_versions", statements[0])
			c := catalog.New(db, development)
			if !refuses(t, c) {
				t.Errorf("%s: used", name)
			}
			if _, err := c.Export(ctx); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: exported: %v", name, err)
			}
			if _, err := c.ServiceOfRecord(ctx, "dostek"); err != nil {
				t.Errorf("%s: a receipt: %v", name, err)
			}
			databasetest.TamperAll(t, db, statements[1], "DROP TABLE kept")
			time.Sleep(1100 * time.Millisecond) // the catalog is refreshed once a second
			if refuses(t, c) {
				t.Errorf("%s: not used after it was put right", name)
			}
		}
		databasetest.TamperAll(t, db, "UPDATE catalog_levels SET month = 0", "UPDATE catalog_state SET version = version + 1")
		time.Sleep(1100 * time.Millisecond)
		if l := require.Value(running.Level(ctx, catalog.StandardLevel))(t); l.Month == 0 {
			t.Errorf("a running process has the limit %s", l.Month)
		}
	})
}

// A former version that was put back with its tables is signed, but not the newest.
func TestOldVersionPutBackIsNotUsed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		if err := c.Apply(ctx, prepared(t, c, limitOf("100000.00"), limitOf("7.00")), catalog.Author{}); err != nil {
			t.Fatal(err)
		}
		databasetest.TamperAll(t, db, "UPDATE catalog_state SET version = 1", "UPDATE catalog_levels SET operation = 10000000 WHERE operation = 700")
		if c := catalog.New(db, development); !refuses(t, c) {
			t.Error("used")
		}
		databasetest.TamperAll(t, db, "UPDATE catalog_state SET version = 2", "UPDATE catalog_levels SET operation = 700 WHERE code = 'standard'")
		// A restore repairs tables that were changed.
		databasetest.TamperAll(t, db, "UPDATE catalog_levels SET day = 1")
		c = catalog.New(db, development)
		if err := c.Apply(ctx, require.Value(c.PrepareRestore(ctx, 2, false))(t), catalog.Author{}); err != nil {
			t.Fatal(err)
		}
		if refuses(t, c) || c.Verified(ctx) != nil {
			t.Errorf("not used after a restore: %v", c.Verified(ctx))
		}
		if n := databasetest.Queued(t, db, signature.Catalog); n != 3 {
			t.Errorf("%d versions are queued for the log", n)
		}
		databasetest.WantSigned(t, db, "catalog_versions", 3)
	})
}

// Entries that the version in force leaves out are used as the last version that named
// them has them, and only so.
func TestRetiredEntriesAreVerified(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		file := string(require.Value(c.Export(ctx))(t))
		cut := func(from, to string) string {
			start := strings.Index(file, from)
			return file[start : start+strings.Index(file[start:], to)]
		}
		service := cut("  - code: hoster\n    category", "  - code: aknet\n    category")
		biller := cut("  - code: hoster\n    name", "# identifier")
		for _, edit := range [][]string{{service, "", biller, ""}, {limitOf("100000.00"), limitOf("7.00")}} {
			if err := c.Apply(ctx, prepared(t, c, edit...), catalog.Author{}); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := catalog.New(db, development).Biller(ctx, "hoster"); err != nil || !b.Retired {
			t.Errorf("retired: %+v, %v", b, err)
		}
		databasetest.TamperAll(t, db, "UPDATE catalog_billers SET url = 'https://evil.example/' WHERE code = 'hoster'")
		if b, err := catalog.New(db, development).Biller(ctx, "hoster"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("changed: %+v, %v", b, err)
		}
		databasetest.TamperAll(t, db, "INSERT INTO catalog_billers (code, name, url, answers_stored_outcome, deadline_ms, retired) VALUES ('evil', 'x', 'https://evil.example/', FALSE, 1000, TRUE)")
		other := catalog.New(db, development)
		if b, err := other.Biller(ctx, "evil"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("inserted: %+v, %v", b, err)
		}
		if refuses(t, other) {
			t.Error("the entries in force are not used")
		}
	})
}

// Without keys, and while unsigned rows are allowed, the catalog is used as it is.
func TestUnsignedCatalogIsUsed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		seeded(t, db, development)
		databasetest.TamperAll(t, db, "UPDATE catalog_versions SET mac = NULL, key_id = ''", "UPDATE catalog_levels SET month = 1")
		if !refuses(t, catalog.New(db, development)) {
			t.Error("unsigned and used")
		}
		databasetest.TamperAll(t, db, "INSERT INTO unsigned_allowed VALUES (1)")
		database.WithKeys(databasetest.Keys(), false)(db) // another process
		if refuses(t, catalog.New(db, development)) {
			t.Error("not used although unsigned rows are allowed")
		}
	})
}

// A version that the previous release stored lacks newer columns, and still agrees with the
// tables after the migrations.
func TestVersionOfThePreviousReleaseIsUsed(t *testing.T) {
	db := databasetest.SQLite(t)
	c, ctx := seeded(t, db, development), t.Context()
	file := string(require.Value(c.Export(ctx))(t))
	file = strings.Replace(file, "default_level: basic\n", "", 1)
	databasetest.TamperAll(t, db, "UPDATE catalog_state SET default_level = 'standard'")
	databasetest.Tamper(t, db, "UPDATE catalog_versions SET content = ?, mac = NULL, key_id = ''", file)
	databasetest.TamperAll(t, db, "INSERT INTO unsigned_allowed VALUES (1)")
	databasetest.TamperAll(t, db, "DELETE FROM log_queue") // as if that release had stored it
	database.WithKeys(databasetest.Keys(), false)(db)
	done := func(context.Context, *database.Tx, origin.Baseline) error { return nil }
	if _, err := origin.Sign(ctx, db, origin.Options{Report: func(origin.Progress) {}, Finish: done}); err != nil {
		t.Fatal(err)
	}
	if c := catalog.New(db, development); refuses(t, c) {
		t.Error(c.Verified(ctx))
	}
}
