package testkit

import (
	"context"
	"regexp"
	"testing"

	"elsom/internal/catalog"
	"elsom/internal/testkit/require"
)

// EditCatalog imports the catalog in force with edits, as an operator does: pairs of a
// regular expression for the lines of the exported file, and what replaces its matches.
func EditCatalog(t testing.TB, c *catalog.Catalog, edits ...string) {
	t.Helper()
	ctx := context.Background()
	file, err := c.Export(ctx)
	require.NoError(t, err)
	for i := 0; i < len(edits); i += 2 {
		pattern := regexp.MustCompile("(?m)" + edits[i])
		if !pattern.Match(file) {
			t.Fatalf("the catalog has no %s", edits[i])
		}
		file = pattern.ReplaceAll(file, []byte(edits[i+1]))
	}
	change, err := c.Prepare(ctx, file, false)
	require.NoError(t, err)
	require.NoError(t, c.Apply(ctx, change, catalog.Author{}))
}

// SetLimit changes a limit of all levels, such as day, to an amount in som.
func (a *App) SetLimit(limit, amount string) {
	a.T.Helper()
	EditCatalog(a.T, a.Catalog, `^    `+limit+`: .*$`, `    `+limit+`: "`+amount+`"`)
}
