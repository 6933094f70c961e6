package audit

import (
	"context"
	"time"

	"elsom/internal/database"
)

// Queries returns the queries of all checks by what they prove.
func Queries(dialect database.Dialect) map[string]string { return queries(dialect, nil) }

// QueriesSince returns those of an audit since a moment.
func QueriesSince(dialect database.Dialect, since time.Time) map[string]string {
	return queries(dialect, windowSince(dialect, since))
}

func queries(dialect database.Dialect, w *window) map[string]string {
	queries := map[string]string{}
	for _, c := range checks() {
		c = w.narrow(c)
		for _, rule := range c.rules {
			queries[rule.proves] = forDialect(c.query, dialect)
		}
	}
	return queries
}

// TotalQueries returns the queries of the totals.
func TotalQueries() (queries []string) {
	for _, t := range totals(&Result{}) {
		queries = append(queries, t.query)
	}
	return queries
}

// KnownOps are the operations that the audit accepts, as SQL.
const KnownOps = knownOps

// SchemaOf returns the description of a database's schema.
func SchemaOf(ctx context.Context, db *database.DB) (text string, err error) {
	err = db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		objects, err := readObjects(tx)
		text = describeSchema(objects)
		return err
	})
	return text, err
}

// OneSpaced normalizes a definition.
var OneSpaced = oneSpaced
