package main_test

import (
	"context"
	"net/http"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// healthy wants this answer to whoever asks for the portal's health.
func (s *site) healthy(t *testing.T, want int) {
	t.Helper()
	answer, err := http.Get(s.base + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		t.Errorf("healthz answers %d, want %d", answer.StatusCode, want)
	}
}

// A program whose schema is no longer the database's can't serve, and says so
// to whoever leads people to it.
func TestHealthTellsOfAnotherSchema(t *testing.T) {
	t.Parallel()
	s := sqlite(t)
	s.healthy(t, http.StatusOK)
	db, err := database.Open(context.Background(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)"); err != nil {
		t.Fatal(err)
	}
	s.healthy(t, http.StatusServiceUnavailable)
}

// A portal whose database is gone lives on and says that it can't serve.
func TestHealthTellsOfADatabaseThatIsGone(t *testing.T) {
	t.Parallel()
	server, err := databasetest.StartPostgres("-c", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	s := newSite(t, server.Address("postgres"))
	s.healthy(t, http.StatusOK)
	server.Stop()
	s.healthy(t, http.StatusServiceUnavailable)
	select {
	case <-s.portal.done:
		t.Error("the portal ended with its database")
	default:
	}
}
