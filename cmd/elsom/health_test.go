package main_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

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

// A portal goes on serving beside the next release, whose schema has only more,
// and starts on it; behind a release that took something away it does not. Every
// other command of the older release says that the newer one's has to be used.
func TestALaterSchemaIsServedAsLongAsItFits(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, address)
			s.healthy(t, http.StatusOK)
			db := databasetest.Reopen(t, s.database)
			change := func(statement string) {
				t.Helper()
				if _, err := db.Pool().Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			change("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
			s.healthy(t, http.StatusOK)
			s.portal.stop(syscall.SIGTERM)
			s.open(t)
			s.healthy(t, http.StatusOK)
			env := []string{"ELSOM_DATABASE_URL=" + s.database}
			for _, command := range [][]string{{"audit"}, {"migrate"}, {"agent", "list"}} {
				told := operate(t, env, command...)
				want := 2 // not tried
				if command[0] == "migrate" {
					want = 1
				}
				if told.code != want || !strings.Contains(told.err, "run the newer release's elsom") {
					t.Errorf("%v: exit %d, %s", command, told.code, told.err)
				}
			}
			change("UPDATE schema_compatibility SET serves_from = 99999")
			s.healthy(t, http.StatusServiceUnavailable)
		})
	}
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
