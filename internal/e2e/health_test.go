package e2e_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// wantHealth checks the status of the health check.
func wantHealth(s *system.Site, t *testing.T, want int) {
	t.Helper()
	answer, err := http.Get(s.BaseURL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		t.Errorf("healthz answers %d, want %d", answer.StatusCode, want)
	}
}

// A portal keeps serving, and starts, with the schema of a later release that only
// added to it, but not with one that removed something. All other commands say that
// the newer release has to be used.
func TestServeWithLaterSchema(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := system.NewSite(t, address)
			wantHealth(s, t, http.StatusOK)
			db := databasetest.Reopen(t, databasetest.OwnerAddress(s.Database))
			change := func(statement string) {
				t.Helper()
				if _, err := db.Pool().Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			change("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
			wantHealth(s, t, http.StatusOK)
			s.Portal.Stop(syscall.SIGTERM)
			s.Start(t)
			wantHealth(s, t, http.StatusOK)
			env := []string{"ELSOM_DATABASE_URL=" + s.Database}
			for _, command := range [][]string{{"audit"}, {"migrate"}, {"agent", "list"}} {
				out := system.Run(t, env, command...)
				if out.Code != 2 || !strings.Contains(out.Stderr, "run the newer release's elsom") {
					t.Errorf("%v: exit %d, %s", command, out.Code, out.Stderr)
				}
			}
			change("UPDATE schema_compatibility SET serves_from = 99999")
			wantHealth(s, t, http.StatusServiceUnavailable)
		})
	}
}

// A portal whose database is gone keeps running and fails the health check.
func TestHealthWithoutDatabase(t *testing.T) {
	t.Parallel()
	server, err := databasetest.StartPostgres("-c", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if err := server.Prepare("postgres"); err != nil {
		t.Fatal(err)
	}
	s := system.NewSite(t, server.ServingAddress("postgres"))
	wantHealth(s, t, http.StatusOK)
	server.Stop()
	wantHealth(s, t, http.StatusServiceUnavailable)
	select {
	case <-s.Portal.Done:
		t.Error("the portal ended with its database")
	default:
	}
}
