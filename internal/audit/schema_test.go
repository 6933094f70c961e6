package audit_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

var update = flag.Bool("update", false, "write the descriptions of the schema")

// The descriptions of the schema are what the migrations make of an empty database.
func TestSchemaFiles(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		made, err := audit.SchemaOf(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		file := "schema." + string(db.Dialect()) + ".txt"
		if *update {
			if err := os.WriteFile(file, []byte(made), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		have, want := strings.Split(string(stored), "\n"), strings.Split(made, "\n")
		for _, line := range want {
			if !slices.Contains(have, line) {
				t.Errorf("%s lacks %.120s: run `go test ./internal/audit -run TestSchemaFiles -update`", file, line)
			}
		}
		for _, line := range have {
			if !slices.Contains(want, line) {
				t.Errorf("%s has %.120s", file, line)
			}
		}
	})
}

// schemaCase is a change of the schema and what the audit says of it.
type schemaCase struct {
	name  string
	did   string
	found []string // the beginnings of the violations
}

var schemaCasesPostgres = []schemaCase{
	{"a unique key is dropped", "ALTER TABLE payments DROP CONSTRAINT payments_code_key", []string{
		"constraint payments_code_key of payments is missing", "index payments_code_key of payments is missing",
	}},
	{"a check is dropped", "ALTER TABLE accounts DROP CONSTRAINT accounts_check", []string{"constraint accounts_check of accounts is missing"}},
	{"a check is weaker", "ALTER TABLE accounts DROP CONSTRAINT accounts_check, ADD CONSTRAINT accounts_check CHECK (floor IS NULL OR balance >= floor - 1)",
		[]string{"constraint accounts_check of accounts is not as the migrations made it: CHECK"}},
	{"a foreign key is dropped", "ALTER TABLE cash_ins DROP CONSTRAINT cash_ins_agent_fkey", []string{"constraint cash_ins_agent_fkey of cash_ins is missing"}},
	{"a foreign key is disabled", "ALTER TABLE cash_ins DISABLE TRIGGER ALL", []string{
		"foreign key cash_ins_agent_fkey of cash_ins is not of this release", "trigger cash_ins_append_only of cash_ins is not as the migrations made it",
		"trigger cash_ins_no_truncate of cash_ins is not as the migrations made it",
	}},
	{"a primary key is dropped", "ALTER TABLE entries DROP CONSTRAINT entries_pkey", []string{
		"column line of entries", "constraint entries_pkey of entries is missing", "index entries_pkey of entries is missing",
	}[1:]},
	{"NOT NULL is dropped", "ALTER TABLE entries ALTER COLUMN amount DROP NOT NULL", []string{"column amount of entries is not as the migrations made it: bigint"}},
	{"a default is changed", "ALTER TABLE customers ALTER COLUMN pin_owed SET DEFAULT TRUE", []string{"column pin_owed of customers is not as the migrations made it"}},
	{"an index is dropped", "DROP INDEX payments_due", []string{"index payments_due of payments is missing"}},
	{"an index is invalid", "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'payments_due'::regclass", []string{"index payments_due of payments is not as"}},
	{"an index runs a function", "CREATE INDEX odd ON payments ((amount + 1))", []string{"index odd of payments is not of this release"}},
	{"a unique index is added", "CREATE UNIQUE INDEX odd ON payments (accepted_at)", []string{"index odd of payments is not of this release"}},
	{"a plain index is added", "CREATE INDEX mine ON payments (accepted_at, id)", nil},
	{"a table of the operator", "CREATE TABLE mine (id BIGINT PRIMARY KEY CHECK (id > 0))", nil},
	{"a table is not logged", "ALTER TABLE payment_claims SET UNLOGGED", []string{"table payment_claims is not as the migrations made it: not logged"}},
	{"a table has rows of another", "CREATE TABLE mine () INHERITS (payments)", []string{"inheritance mine of payments is not of this release"}},
	{"a trigger is dropped", "DROP TRIGGER entries_append_only ON entries", []string{"trigger entries_append_only of entries is missing"}},
	{"a trigger is disabled", "ALTER TABLE entries DISABLE TRIGGER entries_append_only", []string{"trigger entries_append_only of entries is not as the migrations made it: "}},
	{"a trigger is for replicas only", "ALTER TABLE transfers ENABLE REPLICA TRIGGER transfers_no_truncate", []string{"trigger transfers_no_truncate of transfers is not as"}},
	{"a trigger never fires", "CREATE OR REPLACE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW WHEN (FALSE) EXECUTE FUNCTION refuse_change()",
		[]string{"trigger entries_append_only of entries is not as"}},
	{"a trigger always fires", "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_append_only", nil},
	{"a foreign trigger", `CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.identifier := '1'; RETURN NEW; END $$;
		CREATE TRIGGER odd BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION odd()`,
		[]string{"function odd() is not of this release", "trigger odd of payments is not of this release"}},
	{"a function does nothing", "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN COALESCE(NEW, OLD); END $$",
		[]string{"function refuse_change() is not as the migrations made it"}},
	{"a function hides in a comment", `CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RAISE EXCEPTION '% --', TG_TABLE_NAME; RAISE EXCEPTION '%
		is append-only', TG_TABLE_NAME; END $$`, []string{"function refuse_change() is not as"}},
	{"a function of another owner's rights", "ALTER FUNCTION refuse_change() SECURITY DEFINER", []string{"function refuse_change() is not as"}},
	{"a function is shadowed", "CREATE FUNCTION coalesced(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0'", []string{"function coalesced(bigint) is not of this release"}},
	{"a rule", "CREATE RULE odd AS ON INSERT TO cash_ins DO ALSO DELETE FROM sessions", []string{"rule odd of cash_ins is not of this release"}},
	{"row security", "ALTER TABLE payments ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON payments USING (amount < 100)", []string{
		"policy odd of payments is not of this release", "table payments is not as the migrations made it: permanent, with row security",
	}},
	{"an event trigger", `CREATE FUNCTION odd() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
		CREATE EVENT TRIGGER odd_of_a_test ON ddl_command_end EXECUTE FUNCTION odd()`,
		[]string{"event trigger odd_of_a_test is not of this release", "function odd() is not of this release"}},
	{"triggers are off for a database", "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$",
		[]string{"setting session_replication_role of database"}},
	{"other tables are found first in the database", "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = evil, public', current_database()); END $$",
		[]string{"setting search_path of database"}},
	{"other tables are found first by the role", "DO $$ BEGIN EXECUTE format('ALTER ROLE elsom IN DATABASE %I SET search_path = evil', current_database()); END $$",
		[]string{"setting search_path of role elsom"}},
	{"the usual schema", "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public', current_database()); END $$", nil},
	{"a view is changed", "CREATE OR REPLACE VIEW balances AS SELECT id, kind, subject, currency, floor, opened_at, balance FROM accounts",
		[]string{"view balances is not as the migrations made it"}},
	{"a right is granted", "GRANT UPDATE ON payments TO elsom", []string{"a role has a right that it doesn't need: UPDATE of payments to elsom"}},
	{"a right to a column is granted", "GRANT UPDATE (amount) ON payments TO elsom", []string{"a role has a right that it doesn't need: UPDATE (amount) of payments to elsom"}},
	{"everybody may insert", "GRANT INSERT ON cash_ins TO PUBLIC", []string{"a role has a right that it doesn't need: INSERT of cash_ins to PUBLIC"}},
	{"a role may truncate", "GRANT TRUNCATE ON sessions TO elsom", []string{"a role has a right that it doesn't need: TRUNCATE of sessions to elsom"}},
	{"the serving role may create", "GRANT CREATE ON SCHEMA public TO elsom", []string{"serving role elsom may create objects in the schema"}},
	{"a collation without difference", `CREATE COLLATION odd (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
		ALTER TABLE operator_log ALTER COLUMN command TYPE VARCHAR(40) COLLATE odd`,
		[]string{"column command of operator_log is not as the migrations made it: character varying(40) COLLATE odd"}},
	{"a table of ours inherits", "CREATE TABLE mine (id BIGINT NOT NULL); ALTER TABLE payments INHERIT mine", []string{"inheritance payments of mine is not of this release"}},
	{"a function in an extension", `CREATE EXTENSION hstore; CREATE FUNCTION coalesced(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0';
		ALTER FUNCTION coalesced(bigint) OWNER TO elsom_owner; ALTER EXTENSION hstore ADD FUNCTION coalesced(bigint)`,
		[]string{"function coalesced(bigint) is not of this release"}},
	// Ways to the tables.
	{"a function with its owner's rights", reports + `SET ROLE elsom_owner; CREATE FUNCTION reports.run(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
		AS $$ BEGIN EXECUTE q; END $$; RESET ROLE`, []string{"serving role elsom may execute reports.run(text), which runs with the rights of elsom_owner; REVOKE"}},
	{"a function that can't be reached", reports + `CREATE FUNCTION reports.run(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
		AS $$ BEGIN EXECUTE q; END $$; REVOKE EXECUTE ON FUNCTION reports.run(text) FROM PUBLIC`, nil},
	{"an updatable view elsewhere", reports + "CREATE VIEW reports.u AS SELECT * FROM public.unsigned_allowed; GRANT INSERT, DELETE ON reports.u TO elsom",
		[]string{"serving role elsom may write to reports.u, which is not of this release; REVOKE ALL ON reports.u"}},
	{"a view that everybody may write to", reports + "CREATE VIEW reports.u AS SELECT * FROM public.unsigned_allowed; GRANT UPDATE (id) ON reports.u TO PUBLIC",
		[]string{"serving role elsom may write to reports.u"}},
	{"a view for reports", reports + "CREATE VIEW reports.payments AS SELECT * FROM public.payments; GRANT SELECT ON reports.payments TO elsom", nil},
	{"a view of the operator", "CREATE VIEW mine AS SELECT * FROM unsigned_allowed; GRANT INSERT, DELETE ON mine TO elsom", []string{"serving role elsom may write to public.mine"}},
	{"a rule of the operator's table", "CREATE TABLE mine (x TEXT); CREATE RULE odd AS ON INSERT TO mine DO ALSO INSERT INTO unsigned_allowed VALUES (1); GRANT INSERT ON mine TO elsom",
		[]string{"serving role elsom may write to public.mine"}},
	{"a table of the serving role", "ALTER TABLE unsigned_allowed OWNER TO elsom", []string{"serving role elsom owns unsigned_allowed"}},
	// What is found instead of the tables.
	{"a schema of the role's name", "CREATE SCHEMA elsom; CREATE TABLE elsom.unsigned_allowed (id INT)", []string{"elsom.unsigned_allowed hides the table of that name"}},
	{"a function in the role's schema", "CREATE SCHEMA elsom; CREATE FUNCTION elsom.sum(varchar, varchar) RETURNS bigint LANGUAGE sql AS 'SELECT 0'; CREATE OPERATOR elsom.+ (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = elsom.sum)",
		[]string{"elsom.+(character varying,character varying) may run instead", "elsom.sum(character varying,character varying) may run instead"}},
	{"a schema in the search path", `CREATE SCHEMA evil; CREATE VIEW evil.accounts AS SELECT * FROM public.accounts;
		DO $$ BEGIN EXECUTE format('ALTER ROLE elsom IN DATABASE %I SET search_path = "$user", evil, public', current_database()); END $$`,
		[]string{"evil.accounts hides the table of that name", "setting search_path of role elsom"}},
	{"the role's own schema", "CREATE SCHEMA AUTHORIZATION elsom", []string{"serving role elsom may create objects in the schema elsom; REVOKE CREATE"}},
	// Rights to what is not a table.
	{"temporary tables and schemas", "DO $$ BEGIN EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$", []string{
		"serving role elsom may create schemas in the database; REVOKE CREATE ON DATABASE takes it away", "serving role elsom may create temporary tables in the database; REVOKE TEMPORARY",
	}},
	{"a foreign server", "CREATE FOREIGN DATA WRAPPER odd; CREATE SERVER odd FOREIGN DATA WRAPPER odd; GRANT USAGE ON FOREIGN SERVER odd TO elsom; GRANT USAGE ON FOREIGN DATA WRAPPER odd TO elsom",
		[]string{"serving role elsom may use the foreign server odd", "serving role elsom may use the foreign-data wrapper odd"}},
	{"a large object", "SELECT lo_create(4711); GRANT UPDATE ON LARGE OBJECT 4711 TO elsom", []string{"serving role elsom may UPDATE the large object 4711"}},
	{"a role may read", "GRANT SELECT ON payments TO pg_monitor", nil},
}

// reports makes a schema of the operator that the serving role may use.
const reports = "CREATE SCHEMA reports; GRANT USAGE ON SCHEMA reports TO elsom; GRANT CREATE ON SCHEMA reports TO elsom_owner; "

var schemaCasesSQLite = []schemaCase{
	{"a trigger is dropped", "DROP TRIGGER entries_no_update", []string{"trigger entries_no_update of entries is missing"}},
	{"a trigger never fires", "DROP TRIGGER entries_no_update; CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries WHEN 0 BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END",
		[]string{"trigger entries_no_update of entries is not as the migrations made it"}},
	{"a trigger does nothing", "DROP TRIGGER transfers_no_delete; CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers BEGIN SELECT 1; END",
		[]string{"trigger transfers_no_delete of transfers is not as"}},
	{"a trigger of another table", "DROP TRIGGER entries_no_delete; CREATE TRIGGER entries_no_delete BEFORE DELETE ON promises BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END",
		[]string{"trigger entries_no_delete of entries is missing", "trigger entries_no_delete of promises is not of this release"}},
	{"a foreign trigger", "CREATE TRIGGER odd AFTER INSERT ON payments BEGIN DELETE FROM sessions; END", []string{"trigger odd of payments is not of this release"}},
	{"a check is taken out", "PRAGMA writable_schema = on; UPDATE sqlite_master SET sql = REPLACE(sql, ', CHECK (floor IS NULL OR balance >= floor)', '') WHERE name = 'accounts'; " +
		"UPDATE sqlite_master SET sql = REPLACE(sql, 'CHECK (floor IS NULL OR balance >= floor)', 'CHECK (TRUE)') WHERE name = 'accounts'; PRAGMA writable_schema = off",
		[]string{"table accounts is not as the migrations made it"}},
	{"a unique key is taken out", "PRAGMA writable_schema = on; UPDATE sqlite_master SET sql = REPLACE(sql, 'code        VARCHAR(12)  NOT NULL UNIQUE', 'code VARCHAR(12) NOT NULL') WHERE name = 'payments'; PRAGMA writable_schema = off",
		[]string{"table payments is not as the migrations made it"}},
	{"an index is dropped", "DROP INDEX payments_due", []string{"index payments_due of payments is missing"}},
	{"a unique index is added", "CREATE UNIQUE INDEX odd ON payments (accepted_at)", []string{"index odd of payments is not of this release"}},
	{"a plain index is added", "CREATE INDEX mine ON payments (accepted_at, id)", nil},
	{"a table of the operator", "CREATE TABLE mine (id BIGINT)", nil},
	{"a view is changed", "DROP VIEW balances; CREATE VIEW balances AS SELECT * FROM accounts", []string{"view balances is not as the migrations made it"}},
	{"a default is changed", "ALTER TABLE customers ADD COLUMN odd BIGINT DEFAULT 7", []string{"table customers is not as the migrations made it"}},
}

// Every change of the schema that weakens a guard is a violation with its name.
func TestSchemaChangesAreFound(t *testing.T) {
	test := func(t *testing.T, cases []schemaCase, fresh func(testing.TB, ...database.Option) *database.DB) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				db := fresh(t)
				if _, err := databasetest.Superuser(t, db).Pool().ExecContext(t.Context(), c.did); err != nil {
					t.Fatal(err)
				}
				got := slices.Sorted(slices.Values(runAudit(t, db).Violations))
				matches := len(got) == len(c.found)
				for i := range min(len(got), len(c.found)) {
					matches = matches && strings.HasPrefix(got[i], "schema: "+c.found[i])
				}
				if !matches {
					t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.found, "\n\t"))
				}
			})
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, schemaCasesSQLite, databasetest.SQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, schemaCasesPostgres, databasetest.Postgres) })
}

// Comments and white space are no part of a definition, but what is quoted is.
func TestOneSpaced(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a  -- why\n\tb":                  "a b",
		"'a  -- b\n' c":                   "'a  -- b\n' c",
		`"a  --" -- b`:                    `"a  --"`,
		"'open -- x":                      "'open -- x",
		"-- only":                         "",
		"CHECK (a = 'it''s -- so')\n-- x": "CHECK (a = 'it''s -- so')",
	} {
		if got := audit.OneSpaced(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A transfer that was inserted twice while the unique index was away: the index that is
// back doesn't have it, and queries by it don't see it.
func TestIndexThatHidesRows(t *testing.T) {
	t.Parallel()
	db := databasetest.SQLite(t)
	signedBooks(t, db)
	conn, err := db.Pool().Conn(t.Context())
	require.NoError(t, err)
	for _, statement := range []string{
		"PRAGMA foreign_keys = off",
		"PRAGMA writable_schema = on",
		"CREATE TEMP TABLE hidden AS SELECT * FROM sqlite_master WHERE name = 'sqlite_autoindex_transfers_2'",
		"CREATE TEMP TABLE made AS SELECT sql FROM sqlite_master WHERE name = 'transfers'",
		"DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_transfers_2'",
		"UPDATE sqlite_master SET sql = REPLACE(sql, 'request_key  VARCHAR(120) NOT NULL UNIQUE', 'request_key VARCHAR(120) NOT NULL') WHERE name = 'transfers'",
		"PRAGMA schema_version = 99991",
		"INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 5, request_key, request_hash, act, posted_at FROM transfers LIMIT 1",
		"INSERT INTO sqlite_master SELECT * FROM hidden",
		"UPDATE sqlite_master SET sql = (SELECT sql FROM made) WHERE name = 'transfers'",
		"PRAGMA schema_version = 99992",
		"PRAGMA writable_schema = off",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	require.NoError(t, conn.Close())
	found := strings.Join(runAudit(t, db).Violations, "\n")
	for _, want := range []string{"schema: row 4 missing from index sqlite_autoindex_transfers_2", "once only: 2 transfers have the request key"} {
		if !strings.Contains(found, want) {
			t.Errorf("no %q in:\n%s", want, found)
		}
	}
}
