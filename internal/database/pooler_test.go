package database

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"elsom/internal/fault"
)

// failedResults are the results of a pipeline whose first statement has an error.
type failedResults struct {
	pgx.BatchResults
	err error
}

func (r failedResults) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, r.err }

// If a pooler reports the loss of its server in place of the result of a statement that
// was sent with COMMIT, the server may have run both. The server's own error means that it
// has run neither.
func TestServerLostByPoolerIsUnknown(t *testing.T) {
	for code, unknown := range map[string]bool{"08P01": true, "08006": true, "57P01": true, "23505": false, "40001": false, "22003": false} {
		results := failedResults{err: &pgconn.PgError{Code: code}}
		err := commitError(readWaiting(results, []waitingStatement{{query: "INSERT", rows: anyRows}}))
		if err == nil || fault.Is(err, fault.Unknown) != unknown {
			t.Errorf("%s: %v", code, err)
		}
	}
}
