package main_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

// refuses wants a line for each problem, all these words among them, and a
// non-zero exit.
func refuses(t *testing.T, env []string, wanted ...string) {
	t.Helper()
	told := operate(t, env, "serve")
	if told.code == 0 {
		t.Errorf("it ended as if all were well")
	}
	words := strings.TrimSpace(told.err)
	for line := range strings.SplitSeq(words, "\n") {
		if !strings.HasPrefix(line, "elsom: ") {
			t.Errorf("not one clear line for each problem:\n%s", words)
		}
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
		refuses(t, nil, "elsom: ELSOM_SECRET_KEY: ", "\nelsom: ELSOM_PIN_PEPPER: ", "\nelsom: ELSOM_DATABASE_URL: ")
	})
	t.Run("production with http to all the world", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{someSecret, somePepper, "ELSOM_BASE_URL=http://wallet.example"}, "ELSOM_BASE_URL")
	})
	t.Run("production behind a proxy that it doesn't know", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{someSecret, somePepper, "ELSOM_BASE_URL=https://wallet.example"}, "ELSOM_TRUSTED_PROXIES")
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

// A mistyped name of the database's variable must not open an empty wallet,
// whatever the command.
func TestMistypedDatabaseVariable(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"production", "development"} {
		for _, command := range [][]string{{"serve"}, {"migrate"}, {"audit"}, {"agent", "list"}, {"backup", "file"}, {"restore", "file"}, {"catalog", "export"}, {"payment", "hanging"}} {
			folder := t.TempDir()
			cmd := exec.CommandContext(t.Context(), binary(t, "elsom"), command...)
			cmd.Dir, cmd.Env = folder, cleanEnvironment([]string{
				someSecret, somePepper, "ELSOM_MODE=" + mode, "ELSOM_LISTEN=" + freeAddress(t), "ELSOM_DATABASE_ULR=sqlite:p1anted.db",
			})
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "elsom: ELSOM_DATABASE_ULR: is not known; did you mean ELSOM_DATABASE_URL?") || strings.Contains(string(out), "p1anted") {
				t.Errorf("%v in %s: %v\n%s", command, mode, err, out)
			}
			if made, err := os.ReadDir(folder); err != nil || len(made) > 0 {
				t.Errorf("%v in %s made %v, %v", command, mode, made, err)
			}
		}
	}
}

// What starts and may be a mistake is in the log of the start, the addresses of
// the catalog too.
func TestServeWarns(t *testing.T) {
	t.Parallel()
	database := "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db"
	if told := operate(t, []string{database}, "migrate"); told.code != 0 {
		t.Fatal(told.err)
	}
	amendCatalog(t, []string{database}, `url: ""`, `url: "http://biller.example/pay"`)
	listen := freeAddress(t)
	p := start(t, "elsom", []string{
		someSecret, somePepper, database, "ELSOM_LISTEN=" + listen, "ELSOM_OFFICE_LISTEN=127.0.0.1:1", "ELSOM_METRICS_LISTEN=:0",
		"ELSOM_SMS_URL=http://kannel:p1anted@127.0.0.2.example:1/sendsms", "ELSOM_SMTP_URL=smtp://u:p1anted@mail.example?tls=optional",
	}, "serve")
	p.serves(t, "http://"+listen)
	log, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"variable":"ELSOM_OFFICE_LISTEN"`, `"variable":"ELSOM_METRICS_LISTEN"`, `"variable":"ELSOM_SMS_URL"`, `"variable":"ELSOM_SMTP_URL"`,
		`"biller":"dostek"`, `"biller":"hoster"`, `"biller":"aknet"`,
	} {
		if !strings.Contains(string(log), want) {
			t.Errorf("%s is not in:\n%s", want, log)
		}
	}
	if strings.Contains(string(log), "p1anted") {
		t.Errorf("a password is in the log:\n%s", log)
	}
}

// What nobody answers is reported without the password in its address.
func TestUnreachableSMSGatewayKeepsItsPassword(t *testing.T) {
	t.Parallel()
	gone := freeAddress(t)
	env := []string{
		someSecret, somePepper, "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db",
		"ELSOM_SMS_URL=http://kannel:p1anted@" + gone + "/cgi-bin/sendsms", "ELSOM_SMS_RECEIPTS_URL=http://kannel:p1anted@" + gone + "/sms/dlr",
		"ELSOM_SMTP_URL=smtp://u:p1anted@" + gone, "ELSOM_DOSTEK_URL=http://u:p1anted@" + gone + "/pay",
	}
	if told := operate(t, env, "migrate"); told.code != 0 {
		t.Fatal(told.err)
	}
	told := operate(t, env, "sms", "test", "0700123456")
	if told.code == 0 || !strings.Contains(told.err, "refused") || strings.Contains(told.out+told.err, "p1anted") {
		t.Errorf("%+v", told)
	}
}

// amendCatalog exports the catalog, replaces texts in it, and imports it.
func amendCatalog(t testing.TB, env []string, oldnew ...string) {
	t.Helper()
	exported := operate(t, env, "catalog", "export")
	amended := strings.NewReplacer(oldnew...).Replace(exported.out)
	if exported.code != 0 || amended == exported.out {
		t.Fatalf("catalog export: %+v", exported)
	}
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(amended), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := operate(t, env, "catalog", "import", file); told.code != 0 {
		t.Fatalf("catalog import: %+v", told)
	}
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
			must(t, err)
			_, err = db.Pool().Exec("UPDATE schema_compatibility SET serves_from = 99999") // it took something away
			must(t, err)
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
	_, err := databasetest.Reopen(t, strings.TrimPrefix(where, "ELSOM_DATABASE_URL=")).Pool().Exec("DELETE FROM server_keys") // as of an older release
	must(t, err)
	refuses(t, []string{someSecret, somePepper, "ELSOM_LISTEN=" + freeAddress(t), where}, "elsom: a demo agent", "\nelsom: the demo gateway")
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
