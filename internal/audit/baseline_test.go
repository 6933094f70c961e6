package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/origin"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func ignore(origin.Progress) {}

func noRecord(context.Context, *database.Tx, []origin.Progress) error { return nil }

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
		interrupted := errors.New("interrupted")
		_, err := origin.Baseline(t.Context(), owner, ignore, func(context.Context, *database.Tx, []origin.Progress) error { return interrupted })
		if !errors.Is(err, interrupted) {
			t.Fatal(err)
		}
		if lines, result := originViolations(t, db, time.Time{}); lines != nil || originsOf(result)["transfer"].Baseline != 3 {
			t.Errorf("interrupted: %q, %+v", lines, result.Origin)
		}
		deposit, _ := signedBooks(t, db) // by a portal of this release
		done, err := origin.Baseline(t.Context(), owner, ignore, noRecord)
		require.NoError(t, err)
		for _, p := range done {
			if p.Signed != 0 && (p.Table == "transfers" || p.Table == "payments") {
				t.Errorf("signed again: %+v", p)
			}
		}
		lines, result := originViolations(t, db, time.Time{})
		if o := originsOf(result); lines != nil || o["transfer"].Baseline != 3 || o["transfer"].Signed != 3 || o["payment"].Baseline != 2 {
			t.Errorf("violations %q, %+v", lines, result.Origin)
		}
		if text := printed(t, result); !strings.Contains(text, "signed later: transfer") || strings.Contains(text, "not signed") {
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
		for range 3 {
			_, err := origin.Baseline(t.Context(), owner, ignore, noRecord)
			require.NoError(t, err)
		}
		stop()
		posting.Wait()
		if lines, result := originViolations(t, db, time.Time{}); lines != nil || originsOf(result)["transfer"].Signed != int64(posted) {
			t.Errorf("%d posted, %q, %s", posted, lines, fmt.Sprint(result.Origin))
		}
	})
}
