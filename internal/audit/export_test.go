package audit

import (
	"time"

	"elsom/internal/database"
)

// Queries gives the queries of all checks by what they prove.
func Queries(dialect database.Dialect) map[string]string {
	queries := map[string]string{}
	for _, c := range checks(dialect) {
		queries[c.proves] = c.query
	}
	return queries
}

// QueriesSince gives those of an audit since a moment.
func QueriesSince(dialect database.Dialect, since time.Time) map[string]string {
	queries, only := map[string]string{}, partSince(dialect, since)
	for _, c := range checks(dialect) {
		c = only.narrowed(c)
		queries[c.proves] = c.query
	}
	return queries
}

// Totals gives the queries of what is added up.
func Totals() (queries []string) {
	for _, t := range totals(&Result{}) {
		queries = append(queries, t.query)
	}
	return queries
}

// KnownActs are the acts that the audit knows, as SQL.
const KnownActs = knownActs
