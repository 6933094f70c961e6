package catalog_test

import (
	"strings"
	"testing"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// What the program carries counts as unreviewed until an operator imports a catalog or
// confirms it.
func TestReviewEndsTheWarning(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		before := string(require.Value(c.Export(ctx))(t))
		if s := require.Value(c.Status(ctx))(t); s.Reviewed || s.Number != 1 || s.Source != catalog.FromSeed {
			t.Errorf("the shipped catalog: %+v", s)
		}
		for _, by := range []catalog.Author{{}, {OSUser: "aida"}, {Staff: strings.Repeat("я", 61)}} {
			if err := c.Review(ctx, by); !fault.Is(err, fault.Invalid) {
				t.Errorf("by %+v: %v", by, err)
			}
		}
		require.NoError(t, c.Review(ctx, catalog.Author{Staff: "Aida", OSUser: "elsom"}))
		s := require.Value(c.Status(ctx))(t)
		if !s.Reviewed || s.Number != 2 || s.Source != catalog.FromReview || s.Staff != "Aida" || s.At.IsZero() {
			t.Errorf("after the review: %+v", s)
		}
		if after := string(require.Value(c.Export(ctx))(t)); strings.Replace(after, "version: 2", "version: 1", 1) != before {
			t.Errorf("the review changed\n%s\ninto\n%s", before, after)
		}
	})
}

func TestImportIsAReview(t *testing.T) {
	c, ctx := seeded(t, databasetest.SQLite(t), development), t.Context()
	require.NoError(t, c.Apply(ctx, prepared(t, c, limitOf("100000.00"), limitOf("7.00")), catalog.Author{}))
	if s := require.Value(c.Status(ctx))(t); !s.Reviewed {
		t.Errorf("after an import: %+v", s)
	}
}

// An earlier release stored no versions: a later one than the first was imported.
func TestStatusWithoutStoredVersions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c, ctx := seeded(t, db, development), t.Context()
		databasetest.Tamper(t, db, "DELETE FROM catalog_versions")
		if s := require.Value(c.Status(ctx))(t); s.Reviewed || s.Number != 1 || !s.At.IsZero() {
			t.Errorf("the first version: %+v", s)
		}
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE catalog_state SET version = 5").Error)
		if s := require.Value(c.Status(ctx))(t); !s.Reviewed || s.Number != 5 {
			t.Errorf("a later version: %+v", s)
		}
	})
}
