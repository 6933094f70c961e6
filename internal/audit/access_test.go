package audit_test

import (
	"slices"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// Rights and attributes of the serving role that belong to the server and not to the
// database are violations, and the script of `elsom example roles` takes them away.
func TestAccessOfTheServer(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	require.NoError(t, server.Exec("postgres", "CREATE ROLE makers CREATEROLE"))
	for _, c := range []struct{ did, found, undone string }{
		{"GRANT SET ON PARAMETER session_replication_role TO elsom", "may SET the parameter session_replication_role; REVOKE SET ON PARAMETER takes it away", ""},
		{"GRANT ALTER SYSTEM ON PARAMETER session_replication_role TO PUBLIC", "may ALTER SYSTEM the parameter session_replication_role", ""},
		{"GRANT pg_write_server_files TO elsom", "is a member of pg_write_server_files; REVOKE pg_write_server_files takes it away", ""},
		{"GRANT pg_execute_server_program TO elsom", "is a member of pg_execute_server_program", ""},
		{"GRANT pg_write_all_data TO elsom", "is a member of pg_write_all_data", ""},
		{"GRANT pg_read_all_data TO elsom", "", ""},
		{"GRANT elsom_owner TO elsom", "may act as the owner of the tables", ""},
		{"ALTER ROLE elsom SUPERUSER", "is a superuser; ALTER ROLE", ""},
		{"ALTER ROLE elsom CREATEROLE", "may create roles", ""},
		{"ALTER ROLE elsom CREATEDB", "may create databases", ""},
		{"ALTER ROLE elsom REPLICATION", "may replicate", ""},
		{"ALTER ROLE elsom BYPASSRLS", "bypasses row security", ""},
		{"ALTER ROLE elsom NOINHERIT; GRANT makers TO elsom", "may create roles", "REVOKE makers FROM elsom"},
		{"GRANT postgres TO elsom", "may act as the superuser postgres", "REVOKE postgres FROM elsom"},
	} {
		require.NoError(t, server.Exec("postgres", c.did))
		found := runAudit(t, db).Violations
		wants := func(line string) bool { return strings.HasPrefix(line, "schema: serving role elsom "+c.found) }
		if c.found == "" && len(found) > 0 || c.found != "" && !slices.ContainsFunc(found, wants) {
			t.Errorf("%s: %q", c.did, found)
		}
		require.NoError(t, server.Exec("postgres", database.RolesSQL(databasetest.OwnerRole, databasetest.ServingRole)+";"+c.undone))
		if found := runAudit(t, db).Violations; len(found) > 0 {
			t.Errorf("%s, and the script: %q", c.did, found)
		}
	}
}
