package keycheck_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/keycheck"
)

func keys(secret, pepper string) []keycheck.Key {
	return []keycheck.Key{{Name: keycheck.Secret, Value: []byte(secret)}, {Name: keycheck.Pepper, Value: []byte(pepper)}}
}

// wrong returns the names of the keys that an error refuses.
func wrong(t *testing.T, err error) []keycheck.Name {
	t.Helper()
	var mismatch keycheck.MismatchError
	if err != nil && !errors.As(err, &mismatch) {
		t.Fatal(err)
	}
	var names []keycheck.Name
	for _, m := range mismatch {
		if m.Since.IsZero() {
			t.Errorf("%s: no time", m.Name)
		}
		names = append(names, m.Name)
	}
	return names
}

func TestRecordRefusesOtherKeys(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		if err := keycheck.Verify(ctx, db, keys("a", "b")...); err != nil {
			t.Errorf("without a record: %v", err)
		}
		for range 2 {
			if err := keycheck.Record(ctx, db, keys("a", "b")...); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			secret, pepper string
			wrong          int
		}{{"a", "b", 0}, {"x", "b", 1}, {"a", "x", 1}, {"b", "a", 2}} {
			for _, check := range []error{
				keycheck.Verify(ctx, db, keys(c.secret, c.pepper)...), keycheck.Record(ctx, db, keys(c.secret, c.pepper)...),
			} {
				if names := wrong(t, check); len(names) != c.wrong {
					t.Errorf("%+v: %v are wrong", c, names)
				}
			}
		}
		if err := keycheck.Verify(ctx, db, keys("a", "b")...); err != nil {
			t.Errorf("the first keys are refused after others were tried: %v", err)
		}
	})
}

// A key that replaces the first one has a row of its own.
func TestNewestKeyIsVerified(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		if err := keycheck.Record(ctx, db, keys("a", "b")...); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Pool().Exec("INSERT INTO server_keys (name, id, check_value, created_at) SELECT name, 2, 'of another key', created_at FROM server_keys WHERE name = 'secret'"); err != nil {
			t.Fatal(err)
		}
		if names := wrong(t, keycheck.Verify(ctx, db, keys("a", "b")...)); len(names) != 1 || names[0] != keycheck.Secret {
			t.Errorf("refused: %v", names)
		}
	})
}

func TestConcurrentStartsRecordOneKey(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const starts = 8
		var all sync.WaitGroup
		errs := make([]error, starts)
		for i := range starts {
			all.Go(func() {
				own := string(bytes.Repeat([]byte{byte('a' + i)}, 32))
				errs[i] = keycheck.Record(t.Context(), db, keys(own, own+own)...)
			})
		}
		all.Wait()
		passed := 0
		for _, err := range errs {
			switch names := wrong(t, err); len(names) {
			case 0:
				passed++
			case 1:
				t.Errorf("the keys of two starts were mixed: only %v is wrong", names)
			}
		}
		if passed != 1 {
			t.Errorf("%d starts passed", passed)
		}
	})
}

// A check value does not reveal the key, and differs for two keys of one value.
func TestCheckValueHidesKey(t *testing.T) {
	db := databasetest.SQLite(t)
	if err := keycheck.Record(t.Context(), db, keys("planted", "planted")...); err != nil {
		t.Fatal(err)
	}
	var values []string
	if err := db.Gorm(t.Context()).Raw("SELECT check_value FROM server_keys").Scan(&values).Error; err != nil {
		t.Fatal(err)
	}
	if len(values) != 2 || values[0] == values[1] || len(values[0]) != 64 {
		t.Errorf("check values %q", values)
	}
}

func TestSchemaWithoutKeysPasses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if _, err := databasetest.Owner(t, db).Pool().Exec("DROP TABLE server_keys"); err != nil {
			t.Fatal(err)
		}
		if err := keycheck.Verify(t.Context(), db, keys("a", "b")...); err != nil {
			t.Error(err)
		}
	})
}

// Each step of replacing a key by another, with processes of the step before and of
// the next one beside it.
func TestKeysAreReplacedInSteps(t *testing.T) {
	key := func(value, previous string) keycheck.Key {
		return keycheck.Key{Name: keycheck.Secret, Value: []byte(value), Previous: []byte(previous)}
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		records := func() (n int) {
			if err := db.Gorm(t.Context()).Raw("SELECT COUNT(*) FROM server_keys").Scan(&n).Error; err != nil {
				t.Fatal(err)
			}
			return n
		}
		for i, step := range []struct {
			value, previous string
			passes          bool
			records         int
		}{
			{"old", "", true, 1},
			{"old", "new", true, 1}, // knows both, uses the old one
			{"old", "", true, 1},
			{"new", "old", true, 2},    // knows both, uses the new one
			{"other", "old", false, 2}, // another process was told another new key
			{"old", "new", true, 2},
			{"new", "old", true, 2},
			{"old", "", false, 2}, // it would not read what the new one wrote
			{"new", "", true, 2},
			{"old", "new", true, 2},
			{"newer", "old", false, 2},
			{"newer", "new", true, 3},
		} {
			err := keycheck.Record(t.Context(), db, key(step.value, step.previous))
			if names := wrong(t, err); len(names) == 0 != step.passes || records() != step.records {
				t.Errorf("step %d, %+v: refused %v, %d records", i+1, step, names, records())
			}
			since, err := keycheck.Since(t.Context(), db, key(step.value, step.previous))
			if newest := step.passes && (step.value != "old" || step.records == 1); err != nil || since.IsZero() == newest {
				t.Errorf("step %d, %+v: since %s, %v", i+1, step, since, err)
			}
		}
	})
}
