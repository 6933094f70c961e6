package e2e_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// refuses checks that serve fails with one line for each problem, and prints all of
// wanted.
func refuses(t *testing.T, env []string, wanted ...string) {
	t.Helper()
	out := system.Run(t, env, "serve")
	if out.Code == 0 {
		t.Errorf("it exited with 0")
	}
	words := problemLines(out.Stderr)
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
		t.Errorf("a password is printed: %s", words)
	}
}

// problemLines returns the lines of standard error but those of the log, which warns of
// settings that may be mistakes.
func problemLines(stderr string) string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(stderr), "\n"), func(line string) bool { return strings.HasPrefix(line, `{"time":`) })
	return strings.Join(lines, "\n")
}

func development(t *testing.T, more ...string) []string {
	t.Helper()
	return append([]string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + system.FreeAddress(t)}, more...)
}

func TestServeRejectsBadConfiguration(t *testing.T) {
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
		refuses(t, []string{system.SecretKey, system.PINPepper, "ELSOM_BASE_URL=http://wallet.example"}, "ELSOM_BASE_URL")
	})
	t.Run("production behind a proxy that it doesn't know", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{system.SecretKey, system.PINPepper, "ELSOM_BASE_URL=https://wallet.example"}, "ELSOM_TRUSTED_PROXIES")
	})
	t.Run("development to all the world", func(t *testing.T) {
		t.Parallel()
		refuses(t, []string{"ELSOM_MODE=development", "ELSOM_LISTEN=:0"}, "ELSOM_LISTEN", "loopback")
	})
	t.Run("an unreachable PostgreSQL", func(t *testing.T) {
		t.Parallel()
		gone := system.FreeAddress(t)
		refuses(t, development(t, "ELSOM_DATABASE_URL=postgres://elsom:p1anted@"+gone+"/elsom"), gone)
	})
	t.Run("a folder that can't be made", func(t *testing.T) {
		t.Parallel()
		refuses(t, development(t, "ELSOM_DATABASE_URL=sqlite:/dev/null/elsom.db"), "/dev/null")
	})
	t.Run("a list of passwords that can't be read", func(t *testing.T) {
		t.Parallel()
		refuses(t, development(t, "ELSOM_PASSWORD_LIST=/nowhere/list"), "elsom: ELSOM_PASSWORD_LIST: open /nowhere/list: ")
	})
	t.Run("a list without passwords", func(t *testing.T) {
		t.Parallel()
		refuses(t, development(t, "ELSOM_PASSWORD_LIST=/dev/null"), "elsom: ELSOM_PASSWORD_LIST: /dev/null: has no password")
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

// A mistyped name of the database's variable must not create an empty database,
// whatever the command.
func TestMistypedDatabaseVariable(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"production", "development"} {
		for _, command := range [][]string{{"serve"}, {"migrate"}, {"audit"}, {"agent", "list"}, {"backup", "file"}, {"restore", "file"}, {"catalog", "export"}, {"payment", "hanging"}} {
			folder := t.TempDir()
			cmd := exec.CommandContext(t.Context(), system.Binary(t, "elsom"), command...)
			cmd.Dir, cmd.Env = folder, system.Environment([]string{
				system.SecretKey, system.PINPepper, "ELSOM_MODE=" + mode, "ELSOM_LISTEN=" + system.FreeAddress(t), "ELSOM_DATABASE_ULR=sqlite:p1anted.db",
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

// Settings that may be mistakes are logged at the start, also addresses of the
// catalog.
func TestServeWarns(t *testing.T) {
	t.Parallel()
	database := "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db"
	if out := system.Run(t, []string{database}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	system.AmendCatalog(t, []string{database}, `url: ""`, `url: "http://biller.example/pay"`)
	listen := system.FreeAddress(t)
	p := system.Start(t, "elsom", []string{
		system.SecretKey, system.PINPepper, database, "ELSOM_LISTEN=" + listen, "ELSOM_OFFICE_LISTEN=127.0.0.1:1", "ELSOM_METRICS_LISTEN=:0",
		"ELSOM_SMS_URL=http://kannel:p1anted@127.0.0.2.example:1/sendsms", "ELSOM_SMTP_URL=smtp://u:p1anted@mail.example?tls=optional",
	}, "serve")
	p.WaitHealthy(t, "http://"+listen)
	log, err := os.ReadFile(p.Log)
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

// Production warns of the shipped catalog until it is reviewed.
func TestServeWarnsOfAnUnreviewedCatalog(t *testing.T) {
	t.Parallel()
	env := []string{system.SecretKey, system.PINPepper, "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db"}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	warned := func() bool {
		listen := system.FreeAddress(t)
		p := system.Start(t, "elsom", append(env, "ELSOM_LISTEN="+listen), "serve")
		p.WaitHealthy(t, "http://"+listen)
		log, err := os.ReadFile(p.Log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(log), "limits and fees are placeholders")
	}
	show := func(want string) {
		t.Helper()
		if out := system.Run(t, env, "catalog", "show"); out.Code != 0 || !strings.Contains(out.Stdout, want) || !strings.Contains(out.Stdout, "basic") {
			t.Errorf("%+v doesn't say %q", out, want)
		}
	}
	show("reviewed: no")
	if !warned() {
		t.Error("no warning")
	}
	if out := system.Run(t, env, "catalog", "review"); out.Code == 0 {
		t.Errorf("reviewed by nobody: %+v", out)
	}
	if out := system.Run(t, env, "catalog", "review", "--staff", "aida"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	show("reviewed: yes")
	if warned() {
		t.Error("a warning after the review")
	}
}

// An unreachable gateway is reported without the password in its address.
func TestUnreachableSMSGatewayHidesPassword(t *testing.T) {
	t.Parallel()
	gone := system.FreeAddress(t)
	env := []string{
		system.SecretKey, system.PINPepper, "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db",
		"ELSOM_SMS_URL=http://kannel:p1anted@" + gone + "/cgi-bin/sendsms", "ELSOM_SMS_RECEIPTS_URL=http://kannel:p1anted@" + gone + "/sms/dlr",
		"ELSOM_SMTP_URL=smtp://u:p1anted@" + gone, "ELSOM_DOSTEK_URL=http://u:p1anted@" + gone + "/pay",
	}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	out := system.Run(t, env, "sms", "test", "0700123456")
	if out.Code == 0 || !strings.Contains(out.Stderr, "refused") || strings.Contains(out.Stdout+out.Stderr, "p1anted") {
		t.Errorf("%+v", out)
	}
}

func TestServeRejectsIncompatibleSchema(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := "ELSOM_DATABASE_URL=" + address
			if out := system.Run(t, []string{where}, "migrate"); out.Code != 0 {
				t.Fatal(out.Stderr)
			}
			db, err := database.Open(context.Background(), databasetest.OwnerAddress(address))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			_, err = db.Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
			require.NoError(t, err)
			_, err = db.Pool().Exec("UPDATE schema_compatibility SET serves_from = 99999") // it removed something
			require.NoError(t, err)
			refuses(t, development(t, where), "newer")
			for _, command := range []string{"migrate", "audit"} {
				if out := system.Run(t, []string{where}, command); out.Code == 0 || !strings.Contains(out.Stderr, "run the newer release") || strings.Contains(out.Stderr, "first") {
					t.Errorf("%s changed the schema, or has another error: %+v", command, out)
				}
			}
		})
	}
}

func TestProductionRejectsDemoAgents(t *testing.T) {
	t.Parallel()
	where := "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db"
	listen := system.FreeAddress(t)
	p := system.Start(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen, where}, "serve")
	p.WaitHealthy(t, "http://"+listen)
	p.Stop(syscall.SIGTERM)
	_, err := databasetest.Reopen(t, strings.TrimPrefix(where, "ELSOM_DATABASE_URL=")).Pool().Exec("DELETE FROM server_keys") // as of an older release
	require.NoError(t, err)
	refuses(t, []string{system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + system.FreeAddress(t), where}, "elsom: a demo agent", "\nelsom: the demo gateway")
}

func TestProductionHasNoDevelopmentPages(t *testing.T) {
	t.Parallel()
	listen := system.FreeAddress(t)
	p := system.Start(t, "elsom", []string{
		system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db",
	}, "serve")
	p.WaitHealthy(t, "http://"+listen)
	if words := p.LogTail(); !strings.Contains(words, "ELSOM_DOSTEK_URL is not set") {
		t.Errorf("it is not logged that DosTek is not connected:\n%s", words)
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
			listen := system.FreeAddress(t)
			p := system.Start(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address}, "serve")
			p.WaitHealthy(t, "http://"+listen)
			p.Stop(syscall.SIGTERM)
			if code := p.Cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("ended with %d:\n%s", code, p.LogTail())
			}
		})
	}
}

func TestSeveralStartAtOnce(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []*system.Program
			var bases []string
			for range 3 {
				listen := system.FreeAddress(t)
				bases = append(bases, "http://"+listen)
				all = append(all, system.Start(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address}, "serve"))
			}
			for i, p := range all {
				p.WaitHealthy(t, bases[i])
			}
		})
	}
}

func TestSochiReportsTakenPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, system.Binary(t, "sochi"))
	cmd.Dir = t.TempDir()
	cmd.Env = system.Environment([]string{"SOCHI_LISTEN=" + taken.Addr().String()})
	out, err := cmd.CombinedOutput()
	words := strings.TrimSpace(string(out))
	if err == nil || strings.Count(words, "\n") > 0 || !strings.Contains(words, taken.Addr().String()) {
		t.Errorf("%v, and not one clear line:\n%s", err, words)
	}
}
