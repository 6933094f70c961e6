package system

import (
	"testing"

	"elsom/internal/database/databasetest"
)

// NewPostgres starts a PostgreSQL with stock durability and a database elsom.
func NewPostgres(t *testing.T) *databasetest.PostgresServer {
	t.Helper()
	server, err := databasetest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if err := server.CreateDatabase("elsom"); err != nil {
		t.Fatal(err)
	}
	return server
}
