package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// unread starts a program whose standard output and error are a pipe of the test.
func unread(t testing.TB, name string, env []string, args ...string) (*system.Program, *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = read.Close() })
	cmd := exec.Command(system.Binary(t, name), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = system.Environment(env), write, write
	p := system.Launch(t, name+" with its output in a pipe", cmd)
	require.NoError(t, write.Close())
	return p, read
}

// wantEnd sends a signal and checks that the program exits with 0.
func wantEnd(p *system.Program, t testing.TB, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, p.Cmd.Process.Signal(signal))
	select {
	case <-p.Done:
	case <-time.After(time.Minute):
		t.Fatalf("%s doesn't exit by %v", p.Name, signal)
	}
	if code := p.Cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended by %v with %v", p.Name, signal, p.Cmd.ProcessState)
	}
}

// TestLogWithoutReader checks that a portal whose log is closed or not read answers
// a thousand requests, and exits with 0.
func TestLogWithoutReader(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*os.File) error{
		"gone": (*os.File).Close, "stalled": func(*os.File) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := system.FreeAddress(t)
			p, log := unread(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen}, "serve")
			p.WaitHealthy(t, "http://"+listen)
			require.NoError(t, leave(log))
			client := &http.Client{Timeout: 30 * time.Second}
			for i := range 1000 {
				answer, err := client.Get("http://" + listen + "/help")
				if err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Fatalf("request %d: %d", i, answer.StatusCode)
				}
			}
			wantEnd(p, t, syscall.SIGTERM)
			if name == "stalled" { // the first lines are in the pipe
				text, err := io.ReadAll(log)
				if err != nil || !bytes.Contains(text, []byte(`"msg":"serve: started"`)) || bytes.Count(text, []byte("\n")) < 100 {
					t.Errorf("%d bytes of the log, %v", len(text), err)
				}
			}
		})
	}
}

// TestStandInLogWithoutReader checks the same of the stand-in, and that it exits with
// 0 by SIGHUP.
func TestStandInLogWithoutReader(t *testing.T) {
	t.Parallel()
	listen := system.FreeAddress(t)
	p, log := unread(t, "sochi", []string{"SOCHI_LISTEN=" + listen})
	require.NoError(t, log.Close())
	p.WaitHealthy(t, "http://"+listen)
	wantEnd(p, t, syscall.SIGHUP)
}

// TestIgnoredHangup checks that a portal under nohup ignores SIGHUP.
func TestIgnoredHangup(t *testing.T) {
	t.Parallel()
	listen := system.FreeAddress(t)
	cmd := exec.Command("sh", "-c", `trap "" HUP; exec "$0" serve`, system.Binary(t, "elsom"))
	cmd.Env = system.Environment([]string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen})
	p := system.Launch(t, "elsom", cmd)
	p.WaitHealthy(t, "http://"+listen)
	require.NoError(t, p.Cmd.Process.Signal(syscall.SIGHUP))
	time.Sleep(300 * time.Millisecond)
	p.WaitHealthy(t, "http://"+listen)
	wantEnd(p, t, syscall.SIGTERM)
}

// TestCommandOutputWithoutReader checks that a command whose output is closed prints
// no error and exits with the code of its outcome.
func TestCommandOutputWithoutReader(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"ELSOM_DATABASE_URL=" + address}
			if out := system.Run(t, env, "migrate"); out.Code != 0 {
				t.Fatal(out.Stderr)
			}
			for _, args := range []string{
				"migrate", "audit", "agent list", "gateway list", "catalog export", "vapid", "example kannel", "example kannel-ussd",
				"example assetlinks --package kg.wallet --fingerprint " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), "--help", "--version",
			} {
				if code, errs := runWithoutReader(t, env, strings.Fields(args)...); code != 0 || errs != "" {
					t.Errorf("%s ended with %d: %s", args, code, errs)
				}
			}
			// The exit code is the same when the list is not read.
			books := databasetest.Reopen(t, address)
			_, err := books.Pool().Exec("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (1, 'wallet', 'nobody', 'KGS', 5, CURRENT_TIMESTAMP)")
			require.NoError(t, err)
			if code, errs := runWithoutReader(t, env, "audit"); code != 1 {
				t.Errorf("an audit with violations exited with %d: %s", code, errs)
			}
		})
	}
}

// runWithoutReader runs a command whose standard output is a pipe without a reader.
func runWithoutReader(t testing.TB, env []string, args ...string) (code int, errs string) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, read.Close())
	defer func() { _ = write.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, system.Binary(t, "elsom"), args...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = write, &stderr, system.Environment(env), t.TempDir()
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stderr.String()
}
