package e2e_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// The life of a database with two roles: the script of `elsom example roles`, the
// migration by the owner, and a portal that serves with the other role and can't
// change what is append-only.
func TestExampleRoles(t *testing.T) {
	t.Parallel()
	server := system.NewEmptyPostgres(t)
	script := func(args ...string) string {
		out := system.Run(t, nil, append([]string{"example", "roles"}, args...)...)
		if out.Code != 0 {
			t.Fatal(out.Stderr)
		}
		return out.Stdout
	}
	roles := script("--owner=books_owner", "--serving=portal")
	for _, names := range [][]string{{"--serving=a;b"}, {"--owner=Elsom"}, {"--owner=elsom"}, {"--serving="}} {
		if out := system.Run(t, nil, append([]string{"example", "roles"}, names...)...); out.Code == 0 || out.Stdout != "" {
			t.Errorf("%v: %+v", names, out)
		}
	}
	as := func(role string) string {
		return "ELSOM_DATABASE_URL=" + strings.Replace(server.Address("elsom"), "postgres@", role+"@", 1)
	}
	require.NoError(t, server.Exec("elsom", roles))
	refuses(t, development(t, as("portal")), "run `elsom migrate` with the role that owns the database")
	if out := system.Run(t, []string{as("books_owner")}, "migrate"); out.Code != 0 {
		t.Fatalf("migrate: %+v", out)
	}
	serves := func(role string) string {
		t.Helper()
		listen := system.FreeAddress(t)
		p := system.Start(t, "elsom", []string{system.SecretKey, system.PINPepper, as(role), "ELSOM_LISTEN=" + listen}, "serve")
		p.WaitHealthy(t, "http://"+listen)
		p.Stop(syscall.SIGTERM)
		log, err := os.ReadFile(p.Log)
		require.NoError(t, err)
		return string(log)
	}
	const warning = "the portal's role owns the tables"
	if log := serves("portal"); strings.Contains(log, warning) {
		t.Errorf("a warning:\n%s", log)
	}
	if log := serves("books_owner"); !strings.Contains(log, warning) {
		t.Errorf("no warning:\n%s", log)
	}
	require.NoError(t, server.Exec("elsom", roles)) // again, in use
	if out := system.Run(t, []string{as("portal")}, "audit"); out.Code != 0 {
		t.Errorf("audit: %+v", out)
	}
	portal := databasetest.Reopen(t, strings.TrimPrefix(as("portal"), "ELSOM_DATABASE_URL="))
	for _, statement := range []string{
		"CREATE TABLE odd (id BIGINT)", "CREATE TEMPORARY TABLE odd (id BIGINT)", "DROP TABLE entries", "ALTER TABLE entries DISABLE TRIGGER ALL",
		"SET session_replication_role = replica", "UPDATE entries SET amount = 1", "DELETE FROM cash_ins", "TRUNCATE payments", "UPDATE payments SET amount = 1",
		"UPDATE accounts SET kind = 'x'", "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, TRUE)", "UPDATE schema_compatibility SET serves_from = 1",
	} {
		if _, err := portal.Pool().Exec(statement); err == nil {
			t.Errorf("the serving role may: %s", statement)
		}
	}
}

// A database that one role owned gets two: its tables change hands, and the portal
// goes on with its old role and address.
func TestRolesOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	server := system.NewEmptyPostgres(t)
	require.NoError(t, server.Exec("elsom", "CREATE ROLE elsom LOGIN CREATEDB; ALTER DATABASE elsom OWNER TO elsom"))
	address := "ELSOM_DATABASE_URL=" + server.ServingAddress("elsom")
	if out := system.Run(t, []string{address}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	require.NoError(t, server.Exec("elsom", system.Run(t, nil, "example", "roles").Stdout))
	listen := system.FreeAddress(t)
	p := system.Start(t, "elsom", development(t, address, "ELSOM_LISTEN="+listen), "serve")
	p.WaitHealthy(t, "http://"+listen)
	for _, command := range [][]string{{"audit"}, {"migrate"}} {
		if out := system.Run(t, []string{address}, command...); out.Code != 0 {
			t.Errorf("%v: %+v", command, out)
		}
	}
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + databasetest.OwnerAddress(server.Address("elsom"))}, "migrate"); out.Code != 0 {
		t.Errorf("migrate by the owner: %+v", out)
	}
	if err := server.Exec("elsom", "SET ROLE elsom; DROP TABLE entries"); err == nil {
		t.Error("the serving role still owns a table")
	}
}

// A portal whose role lacks rights says so at its start; `elsom migrate` gives them.
func TestServeNeedsTheServingRights(t *testing.T) {
	t.Parallel()
	address := databasetest.Addresses(t)["postgres"]
	where, owner := "ELSOM_DATABASE_URL="+address, databasetest.OwnerAddress(address)
	_, err := databasetest.Reopen(t, owner).Pool().Exec("REVOKE INSERT ON promises FROM elsom; REVOKE UPDATE (balance) ON accounts FROM elsom")
	require.NoError(t, err)
	refuses(t, development(t, where), "lacks rights (UPDATE of accounts, INSERT of promises)")
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + owner}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	listen := system.FreeAddress(t)
	system.Start(t, "elsom", development(t, where, "ELSOM_LISTEN="+listen), "serve").WaitHealthy(t, "http://"+listen)
}

// A portal doesn't start on tables that another schema hides from its role.
func TestServeRefusesShadowedTables(t *testing.T) {
	t.Parallel()
	address := databasetest.Addresses(t)["postgres"]
	db := databasetest.Reopen(t, address)
	_, err := databasetest.Superuser(t, db).Pool().Exec("CREATE SCHEMA elsom; GRANT USAGE ON SCHEMA elsom TO elsom; CREATE TABLE elsom.unsigned_allowed (id INT)")
	require.NoError(t, err)
	refuses(t, development(t, "ELSOM_DATABASE_URL="+address), "in several schemas of the search path")
}
