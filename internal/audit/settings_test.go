package audit_test

import (
	"context"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database/databasetest"
)

// Settings of a role or a database change how PostgreSQL prints the definitions
// that the audit compares. They are no violations.
func TestSettingsOfTheRoleAreNoViolations(t *testing.T) {
	t.Parallel()
	server, err := databasetest.StartPostgres("-c", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if err := server.Prepare("postgres"); err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{
		"quote_all_identifiers = on", "standard_conforming_strings = off", "datestyle = 'German, DMY'", "intervalstyle = 'sql_standard'",
		"bytea_output = 'escape'", "extra_float_digits = -5", "xmloption = 'document'", "timezone = 'Asia/Bishkek'", "lc_messages = 'C'",
		"backslash_quote = off", "array_nulls = off", "transform_null_equals = on",
	} {
		if err := server.Exec("postgres", "ALTER ROLE "+databasetest.ServingRole+" SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
	db := databasetest.Reopen(t, server.ServingAddress("postgres"))
	proof, err := audit.Run(context.Background(), db, audit.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	if !proof.OK() {
		t.Errorf("%+v", proof)
	}
}
