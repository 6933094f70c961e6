package main_test

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

const (
	someSecret = "ELSOM_SECRET_KEY=some-secret-some-secret-some-secret"
	somePepper = "ELSOM_PIN_PEPPER=good-pepper-for-tests-of-the-program"
)

// refuses wants one clear line with these words, and a non-zero exit.
func refuses(t *testing.T, env []string, wanted ...string) {
	t.Helper()
	told := operate(t, env, "serve")
	if told.code == 0 {
		t.Errorf("it ended as if all were well")
	}
	words := strings.TrimSpace(told.err)
	if strings.Count(words, "\n") > 0 || !strings.HasPrefix(words, "elsom: ") {
		t.Errorf("not one clear line:\n%s", words)
	}
	for _, want := range wanted {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in: %s", want, words)
		}
	}
	if strings.Contains(words, "p1anted") {
		t.Errorf("a password is told: %s", words)
	}
}

func development(t *testing.T, more ...string) []string {
	t.Helper()
	return append([]string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + freeAddress(t)}, more...)
}

func TestServeRefusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	t.Run("a bad variable", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{"ELSOM_MODE=development", "ELSOM_LISTEN=nowhere", "ELSOM_RATE_LIMITS=perhaps"}, "ELSOM_LISTEN", "ELSOM_RATE_LIMITS")
	})
	t.Run("production without a secret", func(t *testing.T) {
		t.Parallel()
		refuses(t, nil, "ELSOM_SECRET_KEY", "ELSOM_PIN_PEPPER")
	})
	t.Run("production with http to all the world", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{someSecret, somePepper, "ELSOM_BASE_URL=http://wallet.example"}, "ELSOM_BASE_URL")
	})
	t.Run("development to all the world", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{"ELSOM_MODE=development", "ELSOM_LISTEN=:0"}, "ELSOM_LISTEN", "loopback")
	})
	t.Run("an unreachable PostgreSQL", func(t *testing.T) {
		t.Parallel()
		gone := freeAddress(t)
		refuses(t, development(t, "ELSOM_DATABASE_URL=postgres://elsom:p1anted@"+gone+"/elsom"), gone)
	})
	t.Run("a folder that can't be made", func(t *testing.T) {
		t.Parallel()
		refuses(t, development(t, "ELSOM_DATABASE_URL=sqlite:/dev/null/elsom.db"), "/dev/null")
	})
	t.Run("a port in use", func(t *testing.T) {
		t.Parallel()
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		refuses(t, []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + taken.Addr().String()}, taken.Addr().String(), "in use")
	})
}

func TestServeRefusesANewerDatabase(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := "ELSOM_DATABASE_URL=" + address
			if told := operate(t, []string{where}, "migrate"); told.code != 0 {
				t.Fatal(told.err)
			}
			db, err := database.Open(context.Background(), address)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			_, err = db.Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
			if err != nil {
				t.Fatal(err)
			}
			refuses(t, development(t, where), "newer")
			for _, command := range []string{"migrate", "audit"} {
				if told := operate(t, []string{where}, command); told.code == 0 || !strings.Contains(told.err, "run the newer release") || strings.Contains(told.err, "first") {
					t.Errorf("%s touched it, or says otherwise: %+v", command, told)
				}
			}
		})
	}
}

func TestProductionRefusesTheDemoAgents(t *testing.T) {
	t.Parallel()
	where := "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db"
	listen := freeAddress(t)
	p := start(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen, where}, "serve")
	p.serves(t, "http://"+listen)
	p.stop(syscall.SIGTERM)
	refuses(t, []string{someSecret, somePepper, "ELSOM_LISTEN=" + freeAddress(t), where}, "agent")
}

func TestProductionHasNoDevelopmentPages(t *testing.T) {
	t.Parallel()
	listen := freeAddress(t)
	p := start(t, "elsom", []string{
		someSecret, somePepper, "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db",
	}, "serve")
	p.serves(t, "http://"+listen)
	if words := p.lastWords(); !strings.Contains(words, "ELSOM_DOSTEK_URL is not set") {
		t.Errorf("nobody is told that DosTek is not connected:\n%s", words)
	}
	for _, path := range []string{"/dev", "/dev/phone", "/dev/sms?phone=%2B996700123456", "/dev/terminal"} {
		answer, err := http.Get("http://" + listen + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}

func TestSigtermDrainsAndEnds(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := freeAddress(t)
			p := start(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address}, "serve")
			p.serves(t, "http://"+listen)
			p.stop(syscall.SIGTERM)
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("ended with %d:\n%s", code, p.lastWords())
			}
		})
	}
}

func TestSeveralMayStartAtOnce(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []*program
			var bases []string
			for range 3 {
				listen := freeAddress(t)
				bases = append(bases, "http://"+listen)
				all = append(all, start(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address}, "serve"))
			}
			for i, p := range all {
				p.serves(t, bases[i])
			}
		})
	}
}

func TestSochiSaysWhenItsPortIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t, "sochi"))
	cmd.Dir = t.TempDir()
	cmd.Env = cleanEnvironment([]string{"SOCHI_LISTEN=" + taken.Addr().String()})
	out, err := cmd.CombinedOutput()
	words := strings.TrimSpace(string(out))
	if err == nil || strings.Count(words, "\n") > 0 || !strings.Contains(words, taken.Addr().String()) {
		t.Errorf("%v, and not one clear line:\n%s", err, words)
	}
}
