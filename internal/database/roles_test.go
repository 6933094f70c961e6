package database_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// emptyDatabase is an empty database on the tests' server with a role that may log in.
type emptyDatabase struct {
	t            *testing.T
	server       *databasetest.PostgresServer
	name, role   string
	owner, guest string // addresses
}

func newEmptyDatabase(t *testing.T, encoding string) *emptyDatabase {
	t.Helper()
	server, err := databasetest.Server()
	require.NoError(t, err)
	name := fmt.Sprintf("elsom_place_%d_%d", os.Getpid(), time.Now().UnixNano())
	p := &emptyDatabase{t: t, server: server, name: name, role: name + "_role", owner: server.Address(name)}
	require.NoError(t, server.Exec("postgres", "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'"))
	require.NoError(t, server.Exec("postgres", "CREATE ROLE "+p.role+" LOGIN"))
	t.Cleanup(func() {
		_ = server.Exec("postgres", "DROP DATABASE "+name+" WITH (FORCE)")
		_ = server.Exec("postgres", "DROP ROLE "+p.role)
	})
	u, err := url.Parse(p.owner)
	require.NoError(t, err)
	u.User = url.User(p.role)
	p.guest = u.String()
	return p
}

func (p *emptyDatabase) exec(statement string) {
	p.t.Helper()
	require.NoError(p.t, p.server.Exec(p.name, statement))
}

func (p *emptyDatabase) migrate(address string) error {
	p.t.Helper()
	db := databasetest.Reopen(p.t, address)
	return db.Migrate(context.Background())
}

func (p *emptyDatabase) wantEmpty() {
	p.t.Helper()
	p.exec("DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace) THEN RAISE 'an object was created'; END IF; END $$")
}

// A database whose encoding lacks Kyrgyz letters is refused before anything is created.
func TestOpenRefusesOtherEncodings(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"SQL_ASCII", "WIN1251"} {
		p := newEmptyDatabase(t, encoding)
		_, err := database.Open(context.Background(), p.owner)
		if err == nil || !strings.Contains(err.Error(), encoding) || !strings.Contains(err.Error(), "createdb -E UTF8") {
			t.Errorf("%s: %v", encoding, err)
		}
		p.wantEmpty()
	}
}

// Settings of the role or database neither weaken a commit nor hide the warning that its
// wait for the standbys was canceled.
func TestRoleSettingsDoNotWeakenCommits(t *testing.T) {
	t.Parallel()
	p := newEmptyDatabase(t, "UTF8")
	p.exec("ALTER ROLE " + p.role + " SET synchronous_commit = off")
	p.exec("ALTER DATABASE " + p.name + " SET client_min_messages = error")
	for requested, commits := range map[string]string{"": "on", "off": "on", "remote_apply": "remote_apply"} {
		u, err := url.Parse(p.guest)
		require.NoError(t, err)
		if query := u.Query(); requested != "" {
			query.Set("synchronous_commit", requested)
			u.RawQuery = query.Encode()
		}
		db := databasetest.Reopen(t, u.String())
		for setting, want := range map[string]string{"synchronous_commit": commits, "client_min_messages": "warning"} {
			var got string
			require.NoError(t, db.Gorm(t.Context()).Raw("SELECT current_setting(?)", setting).Scan(&got).Error)
			if got != want {
				t.Errorf("%s is %s, want %s", setting, got, want)
			}
		}
	}
}

// A role without the right to create or change tables gets ErrNotOwner before anything
// is created. It may start if there is nothing to migrate.
func TestMigrateNeedsOwner(t *testing.T) {
	t.Parallel()
	p := newEmptyDatabase(t, "UTF8")
	if err := p.migrate(p.guest); !errors.Is(err, database.ErrNotOwner) {
		t.Errorf("empty database: %v", err)
	}
	p.wantEmpty()
	require.NoError(t, p.migrate(p.owner))
	p.exec("GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + p.role)
	require.NoError(t, p.migrate(p.guest))
	p.exec("GRANT CREATE ON SCHEMA public TO " + p.role)
	p.exec("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
	if err := p.migrate(p.guest); !errors.Is(err, database.ErrNotOwner) {
		t.Errorf("older schema: %v", err)
	}
}

func TestErrorsOmitPassword(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-w0rd"
	for _, address := range []string{
		"postgres://elsom:" + secret + "@127.0.0.1:1/elsom?sslmode=disable",
		"postgres://elsom:" + secret + "@127.0.0.1:1,127.0.0.1:2/elsom?sslmode=disable",
		"postgres://elsom:" + secret + "@127.0.0.1:port/elsom",
		"postgres://elsom:" + secret + "%zz@127.0.0.1/elsom",
		"postgres://elsom:" + secret + "/@127.0.0.1/elsom",
		"postgres://elsom:" + secret + "@127.0.0.1/elsom?sslmode=perhaps",
		"postgres://elsom:" + secret + "@127.0.0.1/elsom?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
		"postgres:///elsom?host=127.0.0.1&port=1&user=elsom&password=" + secret,
		"postgresql://elsom:" + secret + "@[::1/elsom",
		"postgres//elsom:" + secret + "@127.0.0.1/elsom",
		"elsom:" + secret + "@127.0.0.1/elsom",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		db, err := database.Open(ctx, address)
		cancel()
		if err == nil {
			_ = db.Close()
			t.Errorf("%s was opened", address)
			continue
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(fmt.Sprintf("%+v", err), secret) {
			t.Errorf("%v", err)
		}
	}
}

func TestUsesPlaintext(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"postgres://elsom@db/elsom":                                    true, // prefer falls back
		"postgres://elsom@db/elsom?sslmode=disable":                    true,
		"postgres://elsom@10.0.0.5/elsom?sslmode=allow":                true,
		"postgres://elsom@127.0.0.1,10.0.0.5/elsom?sslmode=disable":    true,
		"postgres://elsom@db/elsom?sslmode=require":                    false,
		"postgres://elsom@db,db2/elsom?sslmode=require":                false,
		"postgres://elsom@127.0.0.1/elsom?sslmode=disable":             false,
		"postgres://elsom@[::1]/elsom?sslmode=disable":                 false,
		"postgres://elsom@localhost/elsom":                             false,
		"postgres:///elsom?host=/var/run/postgresql&sslmode=disable":   false,
		"postgres://elsom@[::ffff:127.0.0.1]:5432/elsom?sslmode=allow": false,
		"sqlite:elsom.db": false,
	} {
		if got := database.UsesPlaintext(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

func TestTrustsAnyServer(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"postgres://elsom@db/elsom":                                  true, // prefer
		"postgres://elsom@db/elsom?sslmode=require":                  true,
		"postgres://elsom@127.0.0.1,db/elsom?sslmode=require":        true,
		"postgres://elsom@db/elsom?sslmode=verify-ca":                false,
		"postgres://elsom@db/elsom?sslmode=verify-full":              false,
		"postgres://elsom@db/elsom?sslmode=disable":                  false, // UsesPlaintext
		"postgres://elsom@127.0.0.1/elsom?sslmode=require":           false,
		"postgres:///elsom?host=/var/run/postgresql&sslmode=require": false,
		"postgres://elsom@db,db2/elsom?sslmode=verify-full":          false,
		"sqlite:elsom.db": false,
	} {
		if got := database.TrustsAnyServer(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

// The script works on the schema of the previous release, which lacks tables and columns,
// and again after the migration.
func TestRolesOnThePreviousSchema(t *testing.T) {
	t.Parallel()
	const previous = 46
	p := newEmptyDatabase(t, "UTF8")
	db, ctx := databasetest.Reopen(t, p.owner), context.Background()
	require.NoError(t, db.Migrate(ctx))
	require.NoError(t, db.Rollback(ctx, previous))
	script := database.RolesSQL(databasetest.OwnerRole, databasetest.ServingRole)
	may := func(column string) (may bool) {
		t.Helper()
		require.NoError(t, db.Pool().QueryRow("SELECT has_column_privilege($1, 'agents', $2, 'UPDATE')", databasetest.ServingRole, column).Scan(&may))
		return may
	}
	p.exec(script)
	if !may("ceiling") || may("code") {
		t.Error("wrong rights on the previous schema")
	}
	require.NoError(t, db.Migrate(ctx))
	p.exec(script)
	if !may("mac") || may("code") {
		t.Error("wrong rights after the migration")
	}
}
