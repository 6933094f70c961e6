package database_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// column describes a column in a way that both databases can report.
type column struct {
	Table, Name string
	Type        string // integer, text, boolean, time, bytes
	Required    bool   // NOT NULL
}

// unique is a unique index or key. Partial is set if it covers only some of the rows.
type unique struct {
	Table, Columns string
	Partial        bool
}

// Both databases must have the same tables and columns, with the same types, NOT NULL
// and unique constraints.
func TestSchemasAgree(t *testing.T) {
	lite, pg := databasetest.SQLite(t), databasetest.Postgres(t)
	agree(t, 100, liteColumns(t, lite), postgresColumns(t, pg))
	// On SQLite, a table must be written anew without its unique key; see migration 82.
	agree(t, 20, slices.DeleteFunc(liteUniques(t, lite), func(u unique) bool { return u == unique{"payments", "txn_id", false} }), postgresUniques(t, pg))
}

// agree fails the test unless both lists have the same elements, at least as many as
// least.
func agree[T comparable](t *testing.T, least int, lite, pg []T) {
	t.Helper()
	if len(lite) < least {
		t.Fatalf("only %d read", len(lite))
	}
	for _, one := range lite {
		if !slices.Contains(pg, one) {
			t.Errorf("%+v in SQLite only", one)
		}
	}
	for _, one := range pg {
		if !slices.Contains(lite, one) {
			t.Errorf("%+v in PostgreSQL only", one)
		}
	}
}

// kindOf returns the kind of a declared type.
func kindOf(t *testing.T, declared string) string {
	t.Helper()
	name, _, _ := strings.Cut(strings.ToLower(declared), "(")
	kind := map[string]string{
		"bigint": "integer", "integer": "integer", "varchar": "text", "character varying": "text", "text": "text",
		"boolean": "boolean", "timestamptz": "time", "timestamp with time zone": "time",
		"bytea": "bytes",
	}[name]
	if kind == "" {
		t.Errorf("unknown type %s", declared)
	}
	return kind
}

func scan[T any](t *testing.T, db *database.DB, query string) (rows []T) {
	t.Helper()
	if err := db.Gorm(context.Background()).Raw(query).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func columns(t *testing.T, db *database.DB, query string) []column {
	t.Helper()
	list := scan[column](t, db, query)
	for i := range list {
		list[i].Type = kindOf(t, list[i].Type)
	}
	return list
}

func liteColumns(t *testing.T, db *database.DB) []column {
	t.Helper()
	return columns(t, db, `SELECT m.name AS "table", p.name, p.type,
			p."notnull" AS required
		FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`)
}

func postgresColumns(t *testing.T, db *database.DB) []column {
	t.Helper()
	return columns(t, db, `SELECT table_name AS "table", column_name AS name, data_type AS type, is_nullable = 'NO' AS required
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%' AND table_name <> 'balances'`) // a view
}

func liteUniques(t *testing.T, db *database.DB) []unique {
	t.Helper()
	return scan[unique](t, db, `SELECT "table", partial, GROUP_CONCAT(name, ' ') AS columns FROM
		(SELECT m.name AS "table", i.name AS "index", i.partial, c.name
			FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' AND i."unique" = 1
			ORDER BY m.name, i.name, c.seqno) s
		GROUP BY "table", "index", partial`)
}

func postgresUniques(t *testing.T, db *database.DB) []unique {
	t.Helper()
	return scan[unique](t, db, `SELECT c.relname AS "table", i.indpred IS NOT NULL AS partial,
			STRING_AGG(a.attname, ' ' ORDER BY ARRAY_POSITION(i.indkey::int2[], a.attnum)) AS columns
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey::int2[])
		WHERE i.indisunique AND n.nspname = 'public' AND c.relname NOT LIKE 'goose%'
		GROUP BY c.relname, i.indexrelid, i.indpred IS NOT NULL`)
}
