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

// The figures can be read while PostgreSQL is down, without its address.
func TestMetricsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	server, err := databasetest.StartPostgres("-c", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	address := system.FreeAddress(t)
	system.NewSite(t, server.Address("postgres"), "ELSOM_METRICS_LISTEN="+address)
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
	if status, figures := get(); status != http.StatusOK || !strings.Contains(figures, "elsom_database_up 1") || !strings.Contains(figures, "elsom_payments_processing 0") {
		t.Errorf("%d: %s", status, figures)
	}
	at := strings.TrimPrefix(strings.SplitN(server.Address("postgres"), "/postgres?", 2)[0], "postgres://postgres@")
	if err := server.StopImmediately(); err != nil {
		t.Fatal(err)
	}
	status, figures := get()
	if status != http.StatusOK || !strings.Contains(figures, "elsom_database_up 0") || !strings.Contains(figures, "go_goroutines") {
		t.Errorf("without the database: %d: %s", status, figures)
	}
	if strings.Contains(figures, at) || strings.Contains(figures, "failed to connect") || strings.Contains(figures, "elsom_payments_processing") {
		t.Errorf("the figures have the database's address, or what can't be known:\n%s", figures)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, figures = get(); strings.Contains(figures, "elsom_database_up 1") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the figures don't come back with the database")
}

// A portal whose role may not make tables ends and says what to run, and no
// command prints the password of an address that it can't use.
func TestStartWithWrongDatabase(t *testing.T) {
	t.Parallel()
	server := system.NewPostgres(t)
	if err := server.Exec("elsom", "CREATE ROLE guest LOGIN"); err != nil {
		t.Fatal(err)
	}
	guest := strings.Replace(server.Address("elsom"), "postgres://postgres@", "postgres://guest@", 1)
	development := func(address string) []string {
		return []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + system.FreeAddress(t), "ELSOM_DATABASE_URL=" + address}
	}
	for _, command := range []string{"serve", "migrate"} {
		if told := system.Run(t, development(guest), command); told.Code != 1 || !strings.Contains(told.Stderr, "run `elsom migrate` with the role that owns the database") {
			t.Errorf("%s: exit %d, %s", command, told.Code, told.Stderr)
		}
	}
	const secret = "s3cret-w0rd"
	for _, address := range []string{
		"postgres://elsom:" + secret + "@127.0.0.1:1/elsom", "postgres://elsom:" + secret + "@127.0.0.1:port/elsom",
		"postgres://elsom:" + secret + "%zz@127.0.0.1/elsom", "postgres://elsom:" + secret + "@127.0.0.1/elsom?sslmode=perhaps",
		"postgre://elsom:" + secret + "@127.0.0.1/elsom",
	} {
		for _, command := range [][]string{{"serve"}, {"migrate"}, {"audit"}, {"agent", "list"}, {"backup", t.TempDir() + "/file"}} {
			told := system.Run(t, development(address), command...)
			if told.Code == 0 || told.Stderr == "" || strings.Contains(told.Stderr+told.Stdout, secret) {
				t.Errorf("%v: exit %d, %s%s", command, told.Code, told.Stdout, told.Stderr)
			}
		}
	}
}
