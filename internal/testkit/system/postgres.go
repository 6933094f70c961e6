package system

import (
	"testing"

	"elsom/internal/database/databasetest"
)

// NewPostgres starts a PostgreSQL with stock durability and a migrated database elsom,
// which is served with the serving role.
func NewPostgres(t *testing.T) *databasetest.PostgresServer {
	t.Helper()
	server := NewEmptyPostgres(t)
	if err := server.Prepare("elsom"); err != nil {
		t.Fatal(err)
	}
	return server
}

// NewEmptyPostgres is NewPostgres without tables and roles.
func NewEmptyPostgres(t *testing.T) *databasetest.PostgresServer {
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
