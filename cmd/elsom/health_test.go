package main_test

import (
	"context"
	"net/http"
	"testing"

	"elsom/internal/database"
)

// A program whose schema is no longer the database's can't serve, and says so
// to whoever leads people to it.
func TestHealthTellsOfAnotherSchema(t *testing.T) {
	t.Parallel()
	s := sqlite(t)
	healthy := func(want int) {
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
	healthy(http.StatusOK)
	db, err := database.Open(context.Background(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)"); err != nil {
		t.Fatal(err)
	}
	healthy(http.StatusServiceUnavailable)
}
