package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// prepared compares the exported catalog, edited, with the current one.
func prepared(t *testing.T, c *catalog.Catalog, oldnew ...string) *catalog.Change {
	t.Helper()
	file := string(require.Value(c.Export(t.Context()))(t))
	amended := strings.NewReplacer(oldnew...).Replace(file)
	if len(oldnew) > 0 && amended == file {
		t.Fatalf("nothing of %q is in\n%s", oldnew, file)
	}
	return require.Value(c.Prepare(t.Context(), []byte(amended), false))(t)
}

func TestDiff(t *testing.T) {
	c := seeded(t, databasetest.SQLite(t), development)
	file := string(require.Value(c.Export(t.Context()))(t))
	hoster := file[strings.Index(file, "  - code: hoster\n    category"):strings.Index(file, "  - code: aknet\n    category")]
	internet := file[strings.Index(file, "  - code: internet\n"):strings.Index(file, "  - code: other\n")]
	other := file[strings.Index(file, "  - code: other\n"):strings.Index(file, "# Companies that payments go to")]
	for name, tt := range map[string]struct {
		change []string
		want   string
	}{
		"unchanged":  {nil, ""},
		"a limit":    {[]string{limitOf("100000.00"), limitOf("7.00")}, `levels: |   ~ standard |       operation: "100000.00" → "7.00"`},
		"a fee":      {[]string{"fee: none", `fee: {percent: "1.50"}`}, `fee: none → {percent: "1.50"}`},
		"a text":     {[]string{`ru: "Интернет"`, `ru: "Связь"`}, `categories: |   ~ internet |       name.ru: "Интернет" → "Связь"`},
		"a number":   {[]string{`ussd: {number: 14, ky: "Башка`, `ussd: {number: 15, ky: "Башка`}, `ussd.number: 14 → 15`},
		"removed":    {[]string{hoster, ""}, `services: |   - hoster`},
		"added":      {[]string{hoster, hoster + strings.ReplaceAll(strings.Replace(hoster, "code: hoster", "code: domains", 1), "ussd:", "# ussd:")}, `services: |   + domains |       category: other |       biller: hoster`},
		"moved":      {[]string{internet + other, other + internet}, `categories: |   order: other, internet`},
		"a prefix":   {[]string{`prefixes: ["50", "70"]`, `prefixes: ["50"]`}, `prefixes: ["50", "70"] → ["50"]`},
		"an address": {[]string{`url: ""`, `url: "https://biller.example/pay"`}, `url: "" → "https://biller.example/pay"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(prepared(t, c, tt.change...).Diff, " | ")
			if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestStaleFilesAreRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		first := prepared(t, c, limitOf("100000.00"), limitOf("7.00"))
		second := prepared(t, c, `month: "1000000.00"`, `month: "9.00"`)
		if err := c.Apply(ctx, first, catalog.Author{}); err != nil {
			t.Fatal(err)
		}
		// Compared before the other was applied, applied after it.
		var stale *catalog.VersionError
		if err := c.Apply(ctx, second, catalog.Author{}); !fault.Is(err, fault.Conflict) || !errors.As(err, &stale) || stale.File != 1 || stale.InForce != 2 {
			t.Errorf("second change: %v", err)
		}
		for old, file := range map[string]int64{"version: 1": 1, "version: 9": 9, "# no version": 0} {
			change := prepared(t, c, "version: 2", old, `operation: "7.00"`, `operation: "8.00"`)
			if !errors.As(change.Refused, &stale) || stale.File != file || stale.InForce != 2 || len(change.Diff) == 0 {
				t.Errorf("%s: %+v", old, change.Refused)
			}
			if err := c.Apply(ctx, change, catalog.Author{}); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s is applied: %v", old, err)
			}
		}
		l := require.Value(c.Level(ctx, catalog.StandardLevel))(t)
		if l.Operation != 700 || l.Month != 100_000_000 {
			t.Errorf("the limits are %+v", l)
		}
	})
}

func TestConcurrentImports(t *testing.T) {
	for kind, address := range databasetest.Addresses(t) {
		t.Run(kind, func(t *testing.T) {
			first := databasetest.Reopen(t, address)
			if err := first.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			c := seeded(t, first, development)
			const writers = 6
			var catalogs [writers]*catalog.Catalog
			var changes [writers]*catalog.Change
			for i := range writers {
				catalogs[i] = catalog.New(databasetest.Reopen(t, address), development)
				changes[i] = prepared(t, catalogs[i], limitOf("100000.00"), limitOf(fmt.Sprintf("%d.00", i+1)))
			}
			var all sync.WaitGroup
			errs := make([]error, writers)
			for i := range writers {
				all.Go(func() { errs[i] = catalogs[i].Apply(t.Context(), changes[i], catalog.Author{Staff: writerName(i)}) })
			}
			all.Wait()
			won := slices.Index(errs, nil)
			for i, err := range errs {
				if i != won && !errors.As(err, new(*catalog.VersionError)) {
					t.Errorf("writer %d: %v", i, err)
				}
			}
			if won < 0 {
				t.Fatal("no writer succeeded")
			}
			l := require.Value(catalog.New(first, development).Level(t.Context(), catalog.StandardLevel))(t)
			if int(l.Operation) != 100*(won+1) {
				t.Errorf("writer %d won, the limit is %s", won, l.Operation)
			}
			versions := require.Value(c.Versions(t.Context()))(t)
			if len(versions) != 2 || versions[0].Staff != writerName(won) {
				t.Errorf("writer %d won, versions %+v", won, versions)
			}
		})
	}
}

func TestEmptiedListsAreRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		file := string(require.Value(c.Export(ctx))(t))
		services, levels := strings.Index(file, "services:\n"), strings.Index(file, "# Limits of identification")
		carriers := strings.Index(file, "carriers:\n")
		empty := file[:services] + "services: []\n" + file[levels:carriers] + "carriers: []\n"
		change := require.Value(c.Prepare(ctx, []byte(empty), false))(t)
		var emptied *catalog.EmptyListError
		if !errors.As(change.Refused, &emptied) || !slices.Equal(emptied.Lists, []string{"services", "carriers"}) {
			t.Errorf("refused: %v", change.Refused)
		}
		if err := c.Apply(ctx, change, catalog.Author{}); !fault.Is(err, fault.Conflict) || len(require.Value(c.Services(ctx, ""))(t)) != 3 {
			t.Errorf("applied: %v", err)
		}
		change = require.Value(c.Prepare(ctx, []byte(empty), true))(t)
		if err := c.Apply(ctx, change, catalog.Author{}); err != nil || len(require.Value(c.Services(ctx, ""))(t)) != 0 {
			t.Errorf("with allowEmpty: %v", err)
		}
		// A list that was empty already is not reported.
		if change := prepared(t, c, limitOf("100000.00"), limitOf("7.00")); change.Refused != nil {
			t.Errorf("refused again: %v", change.Refused)
		}
	})
}

func TestVersionsAndRestore(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		first := require.Value(c.Export(ctx))(t)
		bakyt := catalog.Author{Staff: "Bakyt", OSUser: "root"}
		if err := c.Apply(ctx, prepared(t, c, limitOf("100000.00"), limitOf("7.00")), bakyt); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(ctx, prepared(t, c), bakyt); err != nil { // changes nothing
			t.Fatal(err)
		}
		back := require.Value(c.PrepareRestore(ctx, 1, false))(t)
		if err := c.Apply(ctx, back, catalog.Author{OSUser: "elsom"}); err != nil {
			t.Fatal(err)
		}
		versions := require.Value(c.Versions(ctx))(t)
		if len(versions) != 3 || versions[0].Source != catalog.FromRestore || versions[0].RestoredFrom != 1 || versions[0].Number != 3 || versions[0].OSUser != "elsom" ||
			versions[1].Author != bakyt || versions[1].Source != catalog.FromImport || versions[1].At.IsZero() || versions[2].Source != catalog.FromSeed {
			t.Errorf("versions %+v", versions)
		}
		if now := string(require.Value(c.Export(ctx))(t)); now != strings.Replace(string(first), "version: 1", "version: 3", 1) {
			t.Errorf("restored is\n%s", now)
		}
		if old := string(require.Value(c.ExportVersion(ctx, 1))(t)); old != string(first) {
			t.Errorf("version 1 is\n%s", old)
		}
		if _, err := c.PrepareRestore(ctx, 9, false); !fault.Is(err, fault.NotFound) {
			t.Errorf("version 9: %v", err)
		}
		if err := c.Apply(ctx, prepared(t, c, limitOf("100000.00"), limitOf("7.00")), catalog.Author{Staff: strings.Repeat("я", 61)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a long name: %v", err)
		}
		for _, statement := range []string{"UPDATE catalog_versions SET staff = 'x'", "DELETE FROM catalog_versions"} {
			if _, err := databasetest.Owner(t, db).Pool().Exec(statement); err == nil {
				t.Errorf("%s passed", statement)
			}
		}
	})
}

// A version that an older release imported is stored by the next import, so that it
// can be restored.
func TestVersionOfAnOlderRelease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		for _, statement := range []string{"UPDATE catalog_state SET version = 5", "INSERT INTO unsigned_allowed VALUES (1)"} {
			databasetest.Tamper(t, db, statement)
		}
		if err := c.Apply(ctx, prepared(t, c, limitOf("100000.00"), limitOf("7.00")), catalog.Author{Staff: "Bakyt"}); err != nil {
			t.Fatal(err)
		}
		versions := require.Value(c.Versions(ctx))(t)
		if len(versions) != 3 || versions[1].Number != 5 || versions[1].Source != catalog.FromOlderRelease || versions[1].Staff != "" {
			t.Errorf("versions %+v", versions)
		}
		if err := c.Apply(ctx, require.Value(c.PrepareRestore(ctx, 5, false))(t), catalog.Author{}); err != nil {
			t.Fatal(err)
		}
		if l := require.Value(c.Level(ctx, catalog.StandardLevel))(t); l.Operation != 10_000_000 {
			t.Errorf("the limit is %s", l.Operation)
		}
	})
}

func writerName(i int) string { return "writer " + string(rune('a'+i)) }
