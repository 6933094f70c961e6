package report

import "elsom/internal/database"

// Queries gives the queries of all checks by what they prove.
func Queries(dialect database.Dialect) map[string]string {
	queries := map[string]string{}
	for _, c := range checks(dialect) {
		queries[c.proves] = c.query
	}
	return queries
}
