package database

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"elsom/migrations"
)

//go:embed roles.sql
var rolesSQL string

// existingColumns grants the right to update those of some columns that exist.
//
//mutant:replace AND NOT attisdropped => OR TRUE TestRolesOnThePreviousSchema
const existingColumns = `        SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
        WHERE attrelid = 'public.%s'::regclass AND attname = ANY ('{%s}') AND NOT attisdropped;
        IF columns IS NOT NULL THEN
            EXECUTE format('GRANT UPDATE (%%s) ON %s TO %s', columns);
        END IF;
`

// RolesSQL returns a script for PostgreSQL that creates the owner of the tables and
// the serving role, and gives them their rights in the current database. The names
// must be plain identifiers. The script can be run again.
func RolesSQL(owner, serving string) string {
	var grants strings.Builder
	_, tables := migrations.Rights()
	for _, table := range tables {
		fmt.Fprintf(&grants, "    IF to_regclass('public.%s') IS NOT NULL THEN\n", table)
		statements, columns := migrations.GrantsOf(table, serving)
		for _, statement := range statements {
			fmt.Fprintf(&grants, "        %s;\n", statement)
		}
		if len(columns) > 0 { // of those that the schema has already
			fmt.Fprintf(&grants, existingColumns, table, strings.Join(columns, ","), table, serving)
		}
		grants.WriteString("    END IF;\n")
	}
	return strings.NewReplacer("{owner}", owner, "{serving}", serving, "{grants}", strings.TrimSuffix(grants.String(), "\n")).Replace(rolesSQL)
}

// grantedRights lists what roles other than the owner may do with tables of the
// schema, as (role, table, privilege, column). The role PUBLIC is every role.
const grantedRights = `
SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END AS role, c.relname AS table, a.privilege_type AS privilege, a.col AS column
FROM pg_class c, LATERAL (
	SELECT grantee, privilege_type, '' AS col FROM aclexplode(c.relacl)
	UNION ALL
	SELECT x.grantee, x.privilege_type, t.attname FROM pg_attribute t, LATERAL aclexplode(t.attacl) x
	WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
) a
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.grantee <> c.relowner
ORDER BY 1, 2, 3, 4`

// grant gives the serving roles exactly the rights of this release. They are the
// roles that may insert transfers and do not own them: by the default privileges of
// RolesSQL, those include tables that were just created.
func (db *DB) grant(ctx context.Context) error {
	if db.dialect != Postgres {
		return nil
	}
	tx, err := db.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	// Two processes that grant the rights of one table at the same moment fail.
	if _, err := tx.ExecContext(ctx, "LOCK TABLE goose_db_version IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		return err
	}
	wrong, err := wrongGrants(ctx, tx)
	if err != nil || len(wrong) == 0 {
		return err
	}
	for _, w := range wrong {
		for _, statement := range migrations.Grants(w.table, pgx.Identifier{w.role}.Sanitize()) {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

type roleAndTable struct{ role, table string }

// wrongGrants returns the tables on which a serving role has other rights than those
// of this release.
func wrongGrants(ctx context.Context, tx *sql.Tx) (wrong []roleAndTable, err error) {
	type right struct {
		roleAndTable
		privilege, column string
	}
	rows, err := tx.QueryContext(ctx, grantedRights)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	granted, serving := map[right]bool{}, map[string]bool{}
	for rows.Next() {
		var r right
		if err := rows.Scan(&r.role, &r.table, &r.privilege, &r.column); err != nil {
			return nil, err
		}
		granted[r] = true
		if r.table == "transfers" && r.privilege == "INSERT" && r.role != "PUBLIC" {
			serving[r.role] = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	listed, tables := migrations.Rights()
	exists, err := existing(ctx, tx)
	if err != nil {
		return nil, err
	}
	found := map[roleAndTable]bool{}
	for role := range serving {
		expected := map[right]bool{}
		for _, table := range tables {
			if exists[table] {
				expected[right{roleAndTable{role, table}, "SELECT", ""}] = true
			}
		}
		for _, r := range listed {
			if exists[r.Table] {
				expected[right{roleAndTable{role, r.Table}, r.Privilege, r.Column}] = true
			}
		}
		for r := range expected {
			found[r.roleAndTable] = found[r.roleAndTable] || !granted[r]
		}
		for r := range granted {
			if r.role == role {
				found[r.roleAndTable] = found[r.roleAndTable] || !expected[r]
			}
		}
	}
	for r, isWrong := range found {
		if isWrong {
			wrong = append(wrong, r)
		}
	}
	return wrong, nil
}

// existing returns the tables and views of the schema.
func existing(ctx context.Context, tx *sql.Tx) (map[string]bool, error) {
	rows, err := tx.QueryContext(ctx, "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	exists := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		exists[name] = true
	}
	return exists, rows.Err()
}

// OwnsTables reports whether the role of PostgreSQL may change the schema. The serving
// role should not be able to. It is false on SQLite, which has no roles.
func (db *DB) OwnsTables(ctx context.Context) (bool, error) {
	if db.dialect != Postgres {
		return false, nil
	}
	err := db.checkRights(ctx)
	if errors.Is(err, ErrNotOwner) {
		return false, nil
	}
	return err == nil, err
}

// CheckServingRights returns an error that names what the role may not do, although
// the program needs it: after a restore without rights, for example.
func (db *DB) CheckServingRights(ctx context.Context) error {
	if db.dialect != Postgres {
		return nil
	}
	rights, tables := migrations.Rights()
	for _, table := range tables {
		rights = append(rights, migrations.Right{Table: table, Privilege: "SELECT"})
	}
	names, privileges, columns := make([]string, len(rights)), make([]string, len(rights)), make([]string, len(rights))
	for i, r := range rights {
		names[i], privileges[i], columns[i] = r.Table, r.Privilege, r.Column
	}
	var missing string
	err := db.pool.QueryRowContext(ctx, `SELECT COALESCE(string_agg(w.privilege || ' of ' || w.name, ', ' ORDER BY w.name, w.privilege), '')
		FROM unnest(CAST($1 AS TEXT[]), CAST($2 AS TEXT[]), CAST($3 AS TEXT[])) AS w (name, privilege, col)
		WHERE to_regclass(w.name) IS NOT NULL AND NOT CASE WHEN w.col = '' THEN has_table_privilege(to_regclass(w.name), w.privilege)
			ELSE has_column_privilege(to_regclass(w.name), w.col, w.privilege) END`, names, privileges, columns).Scan(&missing)
	if err != nil {
		return fmt.Errorf("database: rights of the role: %w", oneLine{err})
	}
	//mutant:drop ./internal/e2e TestServeNeedsTheServingRights
	if missing != "" {
		return fmt.Errorf("database: this role lacks rights (%s); run `elsom migrate` with the role that owns the database, "+
			"or the script of `elsom example roles`", missing)
	}
	return nil
}
