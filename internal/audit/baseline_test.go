package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/origin"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// baseline makes a baseline that ends with finish.
func baseline(t *testing.T, owner *database.DB, finish error, accepted ...origin.Ref) (origin.Baseline, error) {
	t.Helper()
	return origin.Sign(t.Context(), owner, origin.Options{
		Report: func(origin.Progress) {}, Accepted: accepted,
		Finish: func(context.Context, *database.Tx, origin.Baseline) error { return finish },
	})
}

// unsignedBooks makes books as the previous release does, in a database that permits
// it, and returns the owner's handle with keys.
func unsignedBooks(t *testing.T, db *database.DB) *database.DB {
	t.Helper()
	database.WithKeys(nil, false)(db)
	databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
	signedBooks(t, db)
	owner := databasetest.Owner(t, db)
	database.WithKeys(databasetest.Keys(), false)(db)
	database.WithKeys(databasetest.Keys(), false)(owner)
	return owner
}

func originsOf(result audit.Result) map[string]audit.Origin {
	all := map[string]audit.Origin{}
	for _, o := range result.Origin {
		all[o.Kind] = o
	}
	return all
}

// A baseline signs what was there as such, queues it for the log, and ends the
// permission for unsigned rows. It can be interrupted and repeated.
func TestBaseline(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		if result := runAudit(t, db); len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "payments 2") {
			t.Errorf("warnings: %q", result.Warnings)
		}
		interrupted := errors.New("interrupted")
		if _, err := baseline(t, owner, interrupted); !errors.Is(err, interrupted) {
			t.Fatal(err)
		}
		if lines, result := originViolations(t, db, time.Time{}); lines != nil || originsOf(result)["transfer"].Baseline != 3 {
			t.Errorf("interrupted: %q, %+v", lines, result.Origin)
		}
		deposit, _ := signedBooks(t, db) // by a portal of this release
		done, err := baseline(t, owner, nil)
		require.NoError(t, err)
		if done.Before["settlements"] != 0 || done.After["transfers"] != 0 || done.Stripped != nil {
			t.Errorf("%+v", done)
		}
		for _, p := range done.Tables {
			if p.Signed != 0 && (p.Table == "transfers" || p.Table == "payments") {
				t.Errorf("signed again: %+v", p)
			}
		}
		lines, result := originViolations(t, db, time.Time{})
		if o := originsOf(result); lines != nil || o["transfer"].Baseline != 3 || o["transfer"].Signed != 3 || o["payment"].Baseline != 2 {
			t.Errorf("violations %q, %+v", lines, result.Origin)
		}
		if text := printed(t, result); !strings.Contains(text, "signed later: transfer") || strings.Contains(text, "not signed") || strings.Contains(text, "WARNING") {
			t.Errorf("printed:\n%s", text)
		}
		databasetest.Tamper(t, db, "UPDATE transfers SET mac = NULL, key_id = '' WHERE id = ?", deposit)
		if lines, _ := originViolations(t, db, time.Time{}); len(lines) != 1 || !strings.HasSuffix(lines[0], "is not signed") {
			t.Errorf("after the baseline: %q", lines)
		}
	})
}

// A baseline runs beside portals that post.
func TestBaselineBesidePostings(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		a := testkit.New(t, db, testkit.Options{NoRateLimits: true})
		c := a.NewCustomer(0)
		ctx, stop := context.WithCancel(t.Context())
		var posting sync.WaitGroup
		posted := 0
		posting.Go(func() {
			for ctx.Err() == nil && posted < 200 {
				a.Deposit(c.ID, 1_00)
				posted++
			}
		})
		again := errors.New("again")
		for range 2 {
			if _, err := baseline(t, owner, again); !errors.Is(err, again) {
				t.Error(err)
			}
		}
		_, err := baseline(t, owner, nil)
		require.NoError(t, err)
		stop()
		posting.Wait()
		if lines, result := originViolations(t, db, time.Time{}); lines != nil || originsOf(result)["transfer"].Signed != int64(posted) {
			t.Errorf("%d posted, %q, %s", posted, lines, fmt.Sprint(result.Origin))
		}
	})
}

// A row whose signature was removed is never signed again: the log has it. Agents and
// customers may have lost it rightly, so they are signed if they are accepted.
func TestBaselineKeepsWhatTheLogHas(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		sealed, _ := signedBooks(t, db)
		seal(t, db)
		queued, _ := signedBooks(t, db)
		var customers []int64
		require.NoError(t, db.Gorm(t.Context()).Raw("SELECT id FROM customers WHERE mac IS NOT NULL ORDER BY id").Scan(&customers).Error)
		for _, id := range []int64{sealed, queued} {
			databasetest.Tamper(t, db, "UPDATE transfers SET mac = NULL, key_id = '' WHERE id = ?", id)
		}
		for _, id := range customers {
			databasetest.Tamper(t, db, "UPDATE customers SET mac = NULL, key_id = '' WHERE id = ?", id)
		}
		b, err := baseline(t, owner, nil)
		require.NoError(t, err)
		want := []origin.Ref{{Kind: signature.Transfer, ID: sealed}, {Kind: signature.Transfer, ID: queued}}
		for _, id := range customers {
			want = append(want, origin.Ref{Kind: signature.Customer, ID: id})
		}
		if !slices.Equal(b.Stripped, want) || !slices.Equal(b.Undecided, want[2:]) || b.After != nil {
			t.Errorf("%+v, want %v", b, want)
		}
		b, err = baseline(t, owner, nil, want...)
		require.NoError(t, err)
		if !slices.Equal(b.Stripped, want[:2]) || b.Undecided != nil || b.After["transfers"] != 2 || b.After["customers"] != 0 {
			t.Errorf("accepted: %+v", b)
		}
		lines, _ := originViolations(t, db, time.Time{})
		if len(lines) != 2 {
			t.Errorf("%q", lines)
		}
	})
}

// When the permission has ended nothing is declared any more, whatever the owner writes.
func TestBaselineAfterTheEnd(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		_, err := baseline(t, owner, nil)
		require.NoError(t, err)
		for range 2 {
			if _, err := baseline(t, owner, nil); !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
			databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM unsigned_allowed)")
		}
		databasetest.Tamper(t, db, "DELETE FROM unsigned_allowed")
		databasetest.Tamper(t, db, "DELETE FROM signing_starts")
		databasetest.Tamper(t, db, "INSERT INTO server_keys (name, id, check_value, created_at) VALUES ('books', 1, 'x', '2026-01-01 00:00:00+00')")
		if _, err := baseline(t, owner, nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("with a recorded key: %v", err)
		}
	})
}

// Books of this release that had no key get one by a baseline, before a portal has it.
func TestBaselineOfBooksWithoutAKey(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		database.WithKeys(nil, false)(db)
		signedBooks(t, db)
		owner := databasetest.Owner(t, db)
		database.WithKeys(databasetest.Keys(), false)(db)
		database.WithKeys(databasetest.Keys(), false)(owner)
		if err := origin.CheckStart(t.Context(), db); !errors.Is(err, origin.ErrNeedsBaseline) {
			t.Errorf("start: %v", err)
		}
		_, err := baseline(t, owner, nil)
		require.NoError(t, err)
		require.NoError(t, origin.CheckStart(t.Context(), db))
		require.NoError(t, origin.Start(t.Context(), db))
		if lines := lines(t, db); len(lines) > 1 { // the operation of the test's deposits
			t.Errorf("%q", lines)
		}
	})
}

// After a baseline a portal of the previous release, which doesn't sign, can't start.
func TestBaselineEndsThePreviousRelease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		databasetest.Tamper(t, db, "UPDATE schema_compatibility SET serves_from = 25")
		_, err := baseline(t, owner, nil)
		require.NoError(t, err)
		var from int64
		require.NoError(t, db.Gorm(t.Context()).Raw("SELECT serves_from FROM schema_compatibility").Scan(&from).Error)
		if from <= 46 {
			t.Errorf("releases from %d on are served", from)
		}
	})
}

// The owner of the tables permits unsigned rows again. A process that saw the end refuses
// them in any case, another one because of the signed record, and the audit finds it. The
// log finds the record's removal.
func TestPermissionDoesNotComeBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		_, err := baseline(t, owner, nil)
		require.NoError(t, err)
		seal(t, db)
		allowed := func() (allowed bool) {
			t.Helper()
			require.NoError(t, db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) (err error) {
				allowed, err = tx.UnsignedAllowed()
				return err
			}))
			return allowed
		}
		restart := func() { database.WithKeys(databasetest.Keys(), false)(db) }
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		databasetest.Tamper(t, db, "UPDATE payments SET mac = NULL, key_id = ''")
		restart()
		if allowed() {
			t.Error("permitted in spite of the record")
		}
		found := strings.Join(lines(t, db), "\n")
		if !strings.Contains(found, "origin: unsigned rows are permitted although the permission ended") || strings.Count(found, "is not signed") != 2 {
			t.Errorf("found:\n%s", found)
		}
		databasetest.Tamper(t, db, "DELETE FROM signing_starts")
		if allowed() {
			t.Error("permitted by a process that saw the end")
		}
		restart()
		if found := strings.Join(lines(t, db), "\n"); !strings.Contains(found, "signing start") || !strings.Contains(found, "was sealed in the log and is missing") {
			t.Errorf("without the record:\n%s", found)
		}
	})
}

// flood inserts n rows into signing_starts as the serving role, before all others: with a
// signature that is none, or without one.
func flood(t *testing.T, db *database.DB, n int) {
	t.Helper()
	r := db.Gorm(t.Context()).Exec(`WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < ?)
		INSERT INTO signing_starts (id, started_at, origin, mac, key_id)
		SELECT ids.id, l.started_at, 'new', CASE WHEN ids.id % 2 = 0 THEN l.mac END, CASE WHEN ids.id % 2 = 0 THEN l.key_id ELSE '' END
		FROM ids, (SELECT started_at, mac, key_id FROM signing_starts UNION ALL SELECT ?, NULL, '' ORDER BY 2 LIMIT 1) l`, n, db.Now())
	require.NoError(t, r.Error)
}

// Rows of signing_starts that the serving role inserts don't hide the record that ended
// the permission, and are violations, also while unsigned rows are permitted.
func TestPermissionIsNotHidden(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		flood(t, db, 1)
		violations, _ := originViolations(t, db, time.Time{})
		if !slices.Equal(violations, []string{"origin: signing start 1 is not signed"}) {
			t.Errorf("permitted: %q", violations)
		}
		databasetest.Tamper(t, db, "DELETE FROM signing_starts")
		_, err := baseline(t, owner, nil)
		require.NoError(t, err)
		flood(t, db, 1000)
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		database.WithKeys(databasetest.Keys(), false)(db) // another process
		require.NoError(t, db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
			if allowed, err := tx.UnsignedAllowed(); allowed || err != nil {
				t.Errorf("permitted: %v, %v", allowed, err)
			}
			return nil
		}))
		found := strings.Join(lines(t, db), "\n")
		if !strings.Contains(found, "unsigned rows are permitted although the permission ended") || !strings.Contains(found, "origin: signing start 1 is not signed") {
			t.Errorf("found:\n%s", found)
		}
	})
}

// More rows than are verified are a violation.
func TestFloodedPermission(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		flood(t, db, 10_001)
		if _, err := baseline(t, owner, nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("a baseline: %v", err)
		}
		if found := strings.Join(lines(t, db), "\n"); !strings.Contains(found, "signing_starts has too many rows") {
			t.Errorf("found:\n%s", found)
		}
	})
}

// The permission doesn't end while a portal writes rows without a signature: they would be
// violations for good.
func TestBaselineWaitsForUnsignedWrites(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := unsignedBooks(t, db)
		options := origin.Options{
			Report: func(origin.Progress) {}, Quiet: 10 * time.Minute,
			Finish: func(context.Context, *database.Tx, origin.Baseline) error { return nil },
		}
		b, err := origin.Sign(t.Context(), owner, options)
		if err != nil || b.Ended || db.Now().Sub(b.Newest) > time.Minute {
			t.Fatalf("%+v, %v", b, err)
		}
		if lines, result := originViolations(t, db, time.Time{}); lines != nil || originsOf(result)["transfer"].Baseline != 3 {
			t.Errorf("%q", lines)
		}
		b, err = origin.Sign(t.Context(), owner, options) // nothing was written in between
		if err != nil || !b.Ended || !b.Newest.IsZero() {
			t.Errorf("%+v, %v", b, err)
		}
	})
}
