package bench_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
)

// benchServer is a PostgreSQL with default durability, pgbench's database, and the
// seed that all databases are copied from.
type benchServer struct {
	b      testing.TB
	server *databasetest.PostgresServer
	admin  *sql.DB
	// postmaster is the id of PostgreSQL's parent process.
	postmaster int
	seeded     bool
	scaled     bool
	// The portals' keys, and the sessions under them.
	secret, pepper    string
	payers, loggedOut []payer
	silent, instant   func() string     // billers
	sms, countedSMS   func() *smsCenter // for the lines, and for what a payment writes
}

func startBenchServer(b *testing.B) *benchServer {
	b.Helper()
	server, err := databasetest.StartPostgres(preload()...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Stop)
	s := &benchServer{b: b, server: server, secret: secret(), pepper: secret()}
	s.silent = sync.OnceValue(func() string { return silent(b) })
	s.instant = sync.OnceValue(func() string { return instant(b) })
	s.sms = sync.OnceValue(func() *smsCenter { return newSMSCenter(b) })
	s.countedSMS = sync.OnceValue(func() *smsCenter { return newSMSCenter(b) })
	if s.admin, err = sql.Open("pgx", server.Address("postgres")); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.admin.Close() })
	var backend int
	if err := s.admin.QueryRow("SELECT pg_backend_pid()").Scan(&backend); err != nil {
		b.Fatal(err)
	}
	_, _, s.postmaster = processTimes(backend)
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if value := s.show(name); value != "on" {
			b.Fatalf("%s is %s: this is no durable server", name, value)
		}
	}
	return s
}

func (s *benchServer) show(setting string) (value string) {
	s.b.Helper()
	if err := s.admin.QueryRow("SELECT current_setting($1)", setting).Scan(&value); err != nil {
		s.b.Fatal(err)
	}
	return value
}

// tool runs a program of PostgreSQL against the server.
func (s *benchServer) tool(name string, args ...string) string {
	s.b.Helper()
	path, err := databasetest.Binary(name)
	if err != nil {
		s.b.Fatal(err)
	}
	at, err := url.Parse(s.server.Address("postgres"))
	if err != nil {
		s.b.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-h", at.Hostname(), "-p", at.Port(), "-U", "postgres"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.b.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

var (
	pgbenchRate = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)
	pgbenchMean = regexp.MustCompile(`latency average = ([0-9.]+) ms`)
)

// pgbench measures the reference: TPC-B-like transactions on the same server in the
// same minutes, since absolute rates depend on the machine.
func (m *runner) pgbench() figure {
	return m.measureOnce("pgbench, 32 clients", func() figure {
		s := m.server
		if !s.scaled {
			s.scaled = true
			s.tool("createdb", "yardstick")
			s.tool("pgbench", "-i", "-q", "-s", strconv.Itoa(*benchScale), "yardstick")
		}
		out := s.tool("pgbench", "-b", "tpcb-like", "-c", "32", "-j", "2", "-M", "prepared", "-n",
			"-T", strconv.Itoa(max(1, int(m.lasting/time.Second))), "yardstick")
		value := func(like *regexp.Regexp) float64 {
			found := like.FindStringSubmatch(out)
			if found == nil {
				s.b.Fatalf("pgbench printed no %s:\n%s", like, out)
			}
			number, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				s.b.Fatal(err)
			}
			return number
		}
		mean := time.Duration(value(pgbenchMean) * float64(time.Millisecond))
		return figure{rate: value(pgbenchRate), mean: mean, note: fmt.Sprintf("mean %.1f ms", milliseconds(mean))}
	})
}

// prepare makes an empty database, or a copy of another one, ready for the serving role,
// and returns its address for that role.
func (s *benchServer) prepare(name string) (address string) {
	s.b.Helper()
	if err := s.server.Prepare(name); err != nil {
		s.b.Fatal(err)
	}
	return s.server.ServingAddress(name)
}

// clone copies the seed's database.
func (s *benchServer) clone(name string) (address string) {
	s.b.Helper()
	if !s.seeded {
		s.seeded = true
		s.tool("createdb", "seed")
		s.payers, s.loggedOut = seed(s.b, s.prepare("seed"), s.secret)
		if err := s.server.Exec("seed", "VACUUM (ANALYZE)"); err != nil {
			s.b.Fatal(err)
		}
	}
	s.tool("createdb", "-T", "seed", name)
	return s.prepare(name)
}

// words describes the machine.
func (s *benchServer) words() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	var version string
	if err := s.admin.QueryRowContext(context.Background(), "SHOW server_version").Scan(&version); err != nil {
		s.b.Fatal(err)
	}
	return fmt.Sprintf("%s UTC, %d cores of %s, Linux %s, %s, %s, PostgreSQL %s (fsync, synchronous_commit and full_page_writes on, "+
		"shared_buffers %s) on the same cores as the portal and its clients",
		time.Now().UTC().Format("2006-01-02 15:04"), runtime.NumCPU(), processor(), strings.TrimSpace(string(kernel)), fileSystem(os.TempDir()),
		runtime.Version(), version, s.show("shared_buffers"))
}

func processor() string {
	content, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// fileSystem returns the file system of a folder, by the longest mount above it.
func fileSystem(folder string) string {
	content, _ := os.ReadFile("/proc/mounts")
	best, kind := "", "a file system unknown"
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || len(fields[1]) <= len(best) {
			continue
		}
		if inside, err := filepath.Rel(fields[1], folder); err == nil && !strings.HasPrefix(inside, "..") {
			best, kind = fields[1], fields[2]
		}
	}
	return kind
}
