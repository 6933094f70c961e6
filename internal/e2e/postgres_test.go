package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// The metrics can be read while PostgreSQL is down, without its address.
func TestMetricsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	server, err := databasetest.StartPostgres("-c", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if err := server.Prepare("postgres"); err != nil {
		t.Fatal(err)
	}
	address := system.FreeAddress(t)
	system.NewSite(t, server.ServingAddress("postgres"), "ELSOM_METRICS_LISTEN="+address)
	get := func() (int, string) {
		t.Helper()
		answer, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if status, metrics := get(); status != http.StatusOK || !strings.Contains(metrics, "elsom_database_up 1") || !strings.Contains(metrics, "elsom_payments_processing 0") {
		t.Errorf("%d: %s", status, metrics)
	}
	at := strings.TrimPrefix(strings.SplitN(server.Address("postgres"), "/postgres?", 2)[0], "postgres://postgres@")
	if err := server.StopImmediately(); err != nil {
		t.Fatal(err)
	}
	status, metrics := get()
	if status != http.StatusOK || !strings.Contains(metrics, "elsom_database_up 0") || !strings.Contains(metrics, "go_goroutines") {
		t.Errorf("without the database: %d: %s", status, metrics)
	}
	if strings.Contains(metrics, at) || strings.Contains(metrics, "failed to connect") || strings.Contains(metrics, "elsom_payments_processing") {
		t.Errorf("the metrics have the database's address, or values that can't be read:\n%s", metrics)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, metrics = get(); strings.Contains(metrics, "elsom_database_up 1") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the metrics don't come back with the database")
}

// If the role may not create tables, the portal exits with the command to run. No
// command prints the password of an unusable address.
func TestStartWithWrongDatabase(t *testing.T) {
	t.Parallel()
	server := system.NewEmptyPostgres(t)
	if err := server.Exec("elsom", "CREATE ROLE guest LOGIN"); err != nil {
		t.Fatal(err)
	}
	guest := strings.Replace(server.Address("elsom"), "postgres://postgres@", "postgres://guest@", 1)
	development := func(address string) []string {
		return []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + system.FreeAddress(t), "ELSOM_DATABASE_URL=" + address}
	}
	for _, command := range []string{"serve", "migrate"} {
		if out := system.Run(t, development(guest), command); out.Code != 2 || !strings.Contains(out.Stderr, "run `elsom migrate` with the role that owns the database") {
			t.Errorf("%s: exit %d, %s", command, out.Code, out.Stderr)
		}
	}
	const secret = "s3cret-w0rd"
	for _, address := range []string{
		"postgres://elsom:" + secret + "@127.0.0.1:1/elsom", "postgres://elsom:" + secret + "@127.0.0.1:port/elsom",
		"postgres://elsom:" + secret + "%zz@127.0.0.1/elsom", "postgres://elsom:" + secret + "@127.0.0.1/elsom?sslmode=perhaps",
		"postgre://elsom:" + secret + "@127.0.0.1/elsom",
	} {
		for _, command := range [][]string{{"serve"}, {"migrate"}, {"audit"}, {"agent", "list"}, {"backup", t.TempDir() + "/file"}} {
			out := system.Run(t, development(address), command...)
			if out.Code == 0 || out.Stderr == "" || strings.Contains(out.Stderr+out.Stdout, secret) {
				t.Errorf("%v: exit %d, %s%s", command, out.Code, out.Stdout, out.Stderr)
			}
		}
	}
}
