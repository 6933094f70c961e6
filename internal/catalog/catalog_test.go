package catalog_test

import (
	"context"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/testkit/require"
)

//go:embed catalog.yaml
var shipped string

var development = catalog.Options{Development: true}

func seeded(t *testing.T, db *database.DB, options catalog.Options) *catalog.Catalog {
	t.Helper()
	c := catalog.New(db, options)
	if err := c.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func codes(services []catalog.Service) []string {
	var list []string
	for _, s := range services {
		list = append(list, s.Code)
	}
	return list
}

// importFile imports a file as an operator does.
func importFile(ctx context.Context, c *catalog.Catalog, file []byte) error {
	change, err := c.Prepare(ctx, file, false)
	if err != nil {
		return err
	}
	return c.Apply(ctx, change, catalog.Author{})
}

// limitOf is the part of an exported file with the standard level's limit of one
// operation.
func limitOf(operation string) string {
	return "balance: \"800000.00\"\n    operation: \"" + operation + "\""
}

func TestSeededCatalog(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		categories := require.Value(c.Categories(ctx))(t)
		if len(categories) != 2 || categories[1].Name.In("ru") != "Другие" || categories[1].USSDNumber != 14 ||
			categories[1].USSDName.In("ru") != "Другие услуги" {
			t.Errorf("categories %+v", categories)
		}
		if got := codes(require.Value(c.Services(ctx, "other"))(t)); !slices.Equal(got, []string{"dostek", "hoster"}) {
			t.Errorf("«Другие» holds %v", got)
		}
		s := require.Value(c.Service(ctx, "dostek"))(t)
		if s.Name.In("ru") != "DosTek group" || s.USSDNumber != 14 || s.USSDName.RU != "Достэк" ||
			s.Identifier != catalog.KindINN || s.Label.In("ru") != "ИНН компании" || !s.Fee.None() {
			t.Errorf("service %+v", s)
		}
		levels := require.Value(c.Levels(ctx))(t)
		if want := []catalog.Level{
			{Code: "basic", Balance: 30_000_00, Operation: 30_000_00, Month: 200_000_00, ConfirmAbove: catalog.DefaultConfirmAbove},
			{Code: "video", Balance: 200_000_00, Operation: 100_000_00, Month: 400_000_00, ConfirmAbove: catalog.DefaultConfirmAbove},
			{Code: catalog.StandardLevel, Balance: 800_000_00, Operation: 100_000_00, Month: 1_000_000_00, ConfirmAbove: catalog.DefaultConfirmAbove},
		}; !slices.Equal(levels, want) {
			t.Errorf("levels %+v", levels)
		}
		if byDefault := require.Value(c.DefaultLevel(ctx))(t); byDefault != "basic" {
			t.Errorf("new customers get the level %q", byDefault)
		}
		for _, wrong := range []func() error{
			func() error { _, err := c.Service(ctx, "nothing"); return err },
			func() error { _, err := c.Category(ctx, "nothing"); return err },
			func() error { _, err := c.Biller(ctx, "nothing"); return err },
			func() error { _, err := c.Level(ctx, ""); return err },
		} {
			if err := wrong(); !fault.Is(err, fault.NotFound) {
				t.Errorf("unknown code: %v", err)
			}
		}
	})
}

func TestCarriers(t *testing.T) {
	c := seeded(t, databasetest.SQLite(t), development)
	for number, want := range map[phone.Number]string{
		"+996550123456": "megacom", "+996755123456": "megacom", "+996999123456": "megacom",
		"+996770123456": "beeline", "+996220123456": "beeline", "+996200123456": "beeline",
		"+996700123456": "o", "+996500123456": "o", "+996600123456": "beeline", "+996912123456": "", "+996996123456": "",
	} {
		got, err := c.Carrier(t.Context(), number)
		if want == "" {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s is of %q, %v", number, got.Code, err)
			}
			continue
		}
		if err != nil || got.Code != want || got.USSD != (want != "o") {
			t.Errorf("%s is of %q (USSD %v), want %q: %v", number, got.Code, got.USSD, want, err)
		}
	}
}

func TestLongestPrefixWins(t *testing.T) {
	db := databasetest.SQLite(t)
	c := seeded(t, db, development)
	file := string(require.Value(c.Export(t.Context()))(t))
	file = strings.Replace(file, `prefixes: ["50", "70"]`, `prefixes: ["50", "70", "5512"]`, 1)
	if err := importFile(t.Context(), c, []byte(file)); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[phone.Number]string{"+996551234567": "o", "+996551334567": "megacom"} {
		if got := require.Value(c.Carrier(t.Context(), number))(t); got.Code != want {
			t.Errorf("%s is of %s, want %s", number, got.Code, want)
		}
	}
}

func TestUnconnectedBillersAreHidden(t *testing.T) {
	db := databasetest.SQLite(t)
	seeded(t, db, development)
	for _, tt := range []struct {
		name    string
		options catalog.Options
		payable []string
		url     string
		stored  bool
	}{
		{"production", catalog.Options{}, nil, "", false},
		{"production with DosTek", catalog.Options{DostekURL: "https://dostek.example/pay"}, []string{"dostek"}, "https://dostek.example/pay", false},
		{"production never has the stand-in", catalog.Options{StandInURL: "http://127.0.0.1:8090"}, nil, "", false},
		{"development", development, []string{"aknet", "dostek", "hoster"}, "http://127.0.0.1:8090/pay", true},
		{"development elsewhere", catalog.Options{Development: true, StandInURL: "http://127.0.0.1:9/"}, []string{"aknet", "dostek", "hoster"}, "http://127.0.0.1:9/pay", true},
		{"development with DosTek", catalog.Options{Development: true, DostekURL: "http://127.0.0.1:7/osmp"}, []string{"aknet", "dostek", "hoster"}, "http://127.0.0.1:7/osmp", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, c := t.Context(), catalog.New(db, tt.options)
			if got := codes(require.Value(c.Services(ctx, ""))(t)); !slices.Equal(got, tt.payable) {
				t.Errorf("payable %v, want %v", got, tt.payable)
			}
			b := require.Value(c.Biller(ctx, catalog.DostekBiller))(t)
			if b.URL != tt.url || b.AnswersStoredOutcome != tt.stored || b.Deadline != 20*time.Second {
				t.Errorf("biller %+v", b)
			}
			for _, code := range []string{"dostek", "hoster"} {
				_, err := c.Service(ctx, code)
				if payable := slices.Contains(tt.payable, code); payable != (err == nil) || (err != nil && !fault.Is(err, fault.NotFound)) {
					t.Errorf("service %s: %v", code, err)
				}
				if _, err := c.ServiceOfRecord(ctx, code); err != nil {
					t.Errorf("a receipt of %s: %v", code, err)
				}
			}
			if got := require.Value(c.Search(ctx, "hoster"))(t); (len(got) == 1) != slices.Contains(tt.payable, "hoster") {
				t.Errorf("search shows %v", codes(got))
			}
			if got := require.Value(c.Categories(ctx))(t); (len(got) == 0) != (len(tt.payable) == 0) {
				t.Errorf("categories %+v", got)
			}
		})
	}
	hoster := require.Value(catalog.New(db, development).Biller(t.Context(), "hoster"))(t)
	if hoster.URL != "http://127.0.0.1:8090/pay/hoster" {
		t.Errorf("the stand-in for Hoster.kg is at %s", hoster.URL)
	}
}

func TestSearch(t *testing.T) {
	c := seeded(t, databasetest.SQLite(t), development)
	for text, want := range map[string][]string{
		"достэк": {"dostek"}, "dostek": {"dostek"}, "Достек": {"dostek"}, "ДОСТЕК ГРУП": {"dostek"}, "group": {"dostek"}, "гр": {"dostek"},
		"ljcn'r": {"dostek"}, "Ljcntr": {"dostek"}, "вщыеул": {"dostek"}, "рщыеук": {"hoster"}, "\u2066dostek\u200b": {"dostek"}, "налог": {"dostek"}, "эсф": {"dostek"}, "ctn": nil,
		"dostek group": {"dostek"},
		"dos":          {"dostek"}, "сочи": {"dostek"}, "Sochi": {"dostek"}, "отчет": {"dostek"},
		"хостер": {"hoster"}, "Hoster.kg": {"hoster"}, "хостинг": {"hoster"},
		"акнет": {"aknet"}, "aknet": {"aknet"}, "acnet": {"aknet"}, "интернет": {"aknet"}, "internet": {"aknet"},
		"башкалар": {"dostek", "hoster"}, "другие": {"dostek", "hoster"}, "other": {"dostek", "hoster"},
		"другие hoster": {"hoster"}, "": nil, "  ": nil, "%": nil, "водоканал": nil, strings.Repeat("я", 5000): nil,
	} {
		if got := codes(require.Value(c.Search(t.Context(), text))(t)); !slices.Equal(got, want) {
			t.Errorf("%.20q finds %v, want %v", text, got, want)
		}
	}
}

func TestBadImportChangesNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		before := require.Value(c.Export(ctx))(t)
		err := importFile(ctx, c, []byte(strings.Replace(string(before), "identifier: inn", "identifier: innn", 1)))
		var bad *catalog.FileError
		if !fault.Is(err, fault.Invalid) || !errors.As(err, &bad) || bad.Problems[0].Line == 0 {
			t.Errorf("the bad file: %v", err)
		}
		if after := require.Value(c.Export(ctx))(t); string(after) != string(before) {
			t.Error("the catalog has changed")
		}
	})
}

func TestExportImportRoundTrip(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		before := require.Value(c.Export(ctx))(t)
		if !strings.Contains(string(before), "# Limits of identification levels. EDITABLE DEFAULT") {
			t.Error("the comments are lost")
		}
		if err := importFile(ctx, c, before); err != nil {
			t.Fatal(err)
		}
		if after := require.Value(c.Export(ctx))(t); string(after) != string(before) {
			t.Errorf("exported\n%s\nthen\n%s", before, after)
		}
	})
}

func TestOmittedEntriesAreRetired(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		file := require.Value(c.Export(ctx))(t)
		from := strings.Index(string(file), "  - code: hoster\n    category")
		to := strings.Index(string(file), "  - code: aknet\n    category")
		if err := importFile(ctx, c, append(slices.Clone(file[:from]), file[to:]...)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Service(ctx, "hoster"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a retired service can be paid: %v", err)
		}
		if s := require.Value(c.ServiceOfRecord(ctx, "hoster"))(t); !s.Retired || s.Name.RU != "Hoster.kg" {
			t.Errorf("on record: %+v", s)
		}
		if strings.Contains(string(require.Value(c.Export(ctx))(t)), "category: other\n    biller: hoster") {
			t.Error("a retired service is exported")
		}
		back := strings.Replace(string(file), "version: 1\n", "version: 2\n", 1)
		if err := importFile(ctx, c, []byte(back)); err != nil {
			t.Fatal(err)
		}
		if s := require.Value(c.Service(ctx, "hoster"))(t); s.Retired {
			t.Error("the service is still retired")
		}
	})
}

func TestConcurrentSeed(t *testing.T) {
	for kind, address := range databasetest.Addresses(t) {
		t.Run(kind, func(t *testing.T) {
			first := databasetest.Reopen(t, address)
			if err := first.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range 5 {
				db := databasetest.Reopen(t, address)
				wg.Go(func() {
					if err := catalog.New(db, development).Seed(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			c := catalog.New(first, development)
			if got := require.Value(c.Services(t.Context(), ""))(t); len(got) != 3 {
				t.Errorf("services %v", codes(got))
			}
			// An operator's catalog is left alone, even an empty one.
			file := require.Value(c.Export(t.Context()))(t)
			edited := strings.Replace(string(file), limitOf("100000.00"), limitOf("7.00"), 1)
			if err := importFile(t.Context(), c, []byte(edited)); err != nil {
				t.Fatal(err)
			}
			if err := c.Seed(t.Context()); err != nil {
				t.Fatal(err)
			}
			if l := require.Value(c.Level(t.Context(), catalog.StandardLevel))(t); l.Operation != 700 {
				t.Errorf("seeding overwrote the operator's limit: %s", l.Operation)
			}
		})
	}
}

func TestOtherProcessesSeeAnImport(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	for name, db := range map[string]*database.DB{
		"sqlite": databasetest.SQLite(t, database.WithClock(clock)), "postgres": databasetest.Postgres(t, database.WithClock(clock)),
	} {
		t.Run(name, func(t *testing.T) {
			ahead.Store(0)
			one, other, ctx := seeded(t, db, development), catalog.New(db, development), t.Context()
			if l := require.Value(other.Level(ctx, catalog.StandardLevel))(t); l.Operation != 10_000_000 {
				t.Fatalf("before: %s", l.Operation)
			}
			file := require.Value(one.Export(ctx))(t)
			edited := strings.Replace(string(file), limitOf("100000.00"), limitOf("50000.00"), 1)
			if err := importFile(ctx, one, []byte(edited)); err != nil {
				t.Fatal(err)
			}
			if l := require.Value(one.Level(ctx, catalog.StandardLevel))(t); l.Operation != 5_000_000 {
				t.Errorf("the importing process still says %s", l.Operation)
			}
			ahead.Store(int64(2 * time.Second))
			if l := require.Value(other.Level(ctx, catalog.StandardLevel))(t); l.Operation != 5_000_000 {
				t.Errorf("two seconds later another process still says %s", l.Operation)
			}
		})
	}
}

func TestCatalogSurvivesDatabaseFailure(t *testing.T) {
	var ahead atomic.Int64
	db := databasetest.SQLite(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
	c := seeded(t, db, development)
	require.Value(c.Services(t.Context(), ""))(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ahead.Store(int64(time.Hour))
	if _, err := c.Service(t.Context(), "dostek"); err != nil {
		t.Errorf("with a copy in memory: %v", err)
	}
	if _, err := catalog.New(db, development).Service(t.Context(), "dostek"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without one: %v", err)
	}
}

// A level that an import leaves out still limits its customers, and can't be assigned.
// Without a default level in the file new customers get the standard one.
func TestRetiredLevelsLimitButAreNotAssignable(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		file := string(require.Value(c.Export(ctx))(t))
		before, after, _ := strings.Cut(file, "default_level: basic\n")
		_, after, _ = strings.Cut(after, "  - code: video")
		if err := importFile(ctx, c, []byte(before+"levels:\n  - code: video"+after)); err != nil {
			t.Fatal(err)
		}
		if byDefault := require.Value(c.DefaultLevel(ctx))(t); byDefault != catalog.StandardLevel {
			t.Errorf("new customers get the level %q", byDefault)
		}
		if l := require.Value(c.Level(ctx, "basic"))(t); l.Balance != 30_000_00 || !l.Retired {
			t.Errorf("retired level %+v", l)
		}
		for code, want := range map[string]bool{"basic": false, "video": true, "standard": true, "gold": false, "": false} {
			if got := require.Value(c.Assignable(ctx, code))(t); got != want {
				t.Errorf("%q assignable: %t", code, got)
			}
		}
		if levels := require.Value(c.Levels(ctx))(t); len(levels) != 2 {
			t.Errorf("levels %+v", levels)
		}
	})
}

// A catalog of an earlier release keeps its one level for new customers too, until
// the operator imports others.
func TestCatalogOfAnOlderReleaseKeepsItsLevel(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		seeded(t, db, development)
		// What the migration leaves of a catalog with one level.
		databasetest.Tamper(t, db, "DELETE FROM catalog_levels WHERE code <> 'standard'")
		databasetest.Tamper(t, db, "UPDATE catalog_state SET default_level = 'standard'")
		c := seeded(t, db, development) // every start seeds an empty catalog
		if byDefault := require.Value(c.DefaultLevel(ctx))(t); byDefault != catalog.StandardLevel {
			t.Errorf("new customers get the level %q", byDefault)
		}
		change := require.Value(c.Prepare(ctx, []byte("version: 1\n"+shipped), false))(t)
		if got := strings.Join(change.Diff, "\n"); !strings.HasPrefix(got, "default_level: standard → basic\n") || !strings.Contains(got, "+ video") {
			t.Errorf("the import of the shipped levels changes\n%s", got)
		}
		require.NoError(t, c.Apply(ctx, change, catalog.Author{}))
		if byDefault := require.Value(c.DefaultLevel(ctx))(t); byDefault != "basic" {
			t.Errorf("after the import new customers get the level %q", byDefault)
		}
	})
}
