package audit_test

import (
	"slices"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// triggerCase is a change of triggers, and those that are wrong then.
type triggerCase struct {
	name     string
	did      []string
	triggers []string
}

var triggerCasesSQLite = []triggerCase{
	{"dropped", []string{"DROP TRIGGER entries_no_update"}, []string{"entries_no_update"}},
	{"never fires", []string{
		"DROP TRIGGER entries_no_update",
		"CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries WHEN 0\nBEGIN SELECT RAISE(ABORT, 'entries is append-only'); END",
	}, []string{"entries_no_update"}},
	{"does nothing", []string{
		"DROP TRIGGER transfers_no_delete", "CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers\nBEGIN SELECT 1; END",
	}, []string{"transfers_no_delete"}},
	{"of one column", []string{
		"DROP TRIGGER stripes_identity",
		"CREATE TRIGGER stripes_identity BEFORE UPDATE OF stripe ON stripes\nBEGIN SELECT RAISE(ABORT, 'a stripe stays that of its account'); END",
	}, []string{"stripes_identity"}},
	{"of another table", []string{
		"DROP TRIGGER entries_no_delete",
		"CREATE TRIGGER entries_no_delete BEFORE DELETE ON promises\nBEGIN SELECT RAISE(ABORT, 'entries is append-only'); END",
	}, []string{"entries_no_delete"}},
}

var triggerCasesPostgres = []triggerCase{
	{"dropped", []string{"DROP TRIGGER entries_append_only ON entries"}, []string{"entries_append_only"}},
	{"disabled", []string{"ALTER TABLE entries DISABLE TRIGGER entries_append_only"}, []string{"entries_append_only"}},
	{"for replicas only", []string{"ALTER TABLE transfers ENABLE REPLICA TRIGGER transfers_no_truncate"}, []string{"transfers_no_truncate"}},
	{"never fires", []string{
		"DROP TRIGGER entries_append_only ON entries",
		"CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW WHEN (FALSE) EXECUTE FUNCTION refuse_change()",
	}, []string{"entries_append_only"}},
	{"of one column", []string{
		"DROP TRIGGER stripes_identity ON stripes",
		"CREATE TRIGGER stripes_identity BEFORE UPDATE OF stripe ON stripes FOR EACH ROW EXECUTE FUNCTION refuse_change()",
	}, []string{"stripes_identity"}},
	{"of no row", []string{
		"DROP TRIGGER accounts_no_delete ON accounts",
		"CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
	}, []string{"accounts_no_delete"}},
	{"another function", []string{
		"CREATE FUNCTION let() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
		"DROP TRIGGER transfers_append_only ON transfers",
		"CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers FOR EACH ROW EXECUTE FUNCTION let()",
	}, []string{"transfers_append_only"}},
	{"the function does nothing", []string{
		"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN COALESCE(NEW, OLD); END $$",
	}, []string{
		"transfers_append_only", "transfers_no_truncate", "entries_append_only", "entries_no_truncate",
		"accounts_no_delete", "accounts_no_truncate", "accounts_identity", "stripes_no_delete", "stripes_no_truncate", "stripes_identity",
		"staff_acts_append_only", "staff_acts_no_truncate", "settlements_append_only", "settlements_no_truncate", "catalog_versions_append_only", "catalog_versions_no_truncate",
	}},
}

// A trigger that is missing or lets changes pass violates "nothing erased".
func TestWrongTriggersAreFound(t *testing.T) {
	test := func(t *testing.T, cases []triggerCase, fresh func(testing.TB, ...database.Option) *database.DB) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := newBook(t, fresh(t))
				for _, statement := range c.did {
					b.exec(statement)
				}
				want := make([]string, len(c.triggers))
				for i, trigger := range c.triggers {
					want[i] = "nothing erased: trigger " + trigger + " is missing, disabled or different"
				}
				slices.Sort(want)
				if p := runAudit(t, b.db); !slices.Equal(slices.Sorted(slices.Values(p.Violations)), want) {
					t.Fatal(printed(t, p))
				}
			})
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, triggerCasesSQLite, databasetest.SQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, triggerCasesPostgres, databasetest.Postgres) })
}
