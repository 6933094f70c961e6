package main_test

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

	"elsom/internal/database/databasetest"
)

// unread starts a program whose standard output and error are a pipe that the
// test may read, stop reading, or close.
func unread(t testing.TB, name string, env []string, args ...string) (*program, *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { _ = read.Close() })
	cmd := exec.Command(binary(t, name), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = cleanEnvironment(env), write, write
	p := launch(t, name+" with its output in a pipe", cmd)
	must(t, write.Close())
	return p, read
}

// ends waits for a program that got a signal, and wants it to end in order.
func (p *program) ends(t testing.TB, signal syscall.Signal) {
	t.Helper()
	must(t, p.cmd.Process.Signal(signal))
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		t.Fatalf("%s doesn't end by %v", p.name, signal)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended by %v with %v", p.name, signal, p.cmd.ProcessState)
	}
}

// TestLogNobodyReads checks that a portal whose log's reader has gone away or
// stands still answers a thousand requests, and ends in order.
func TestLogNobodyReads(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*os.File) error{
		"gone": (*os.File).Close, "stalled": func(*os.File) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := freeAddress(t)
			p, log := unread(t, "elsom", []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen}, "serve")
			p.serves(t, "http://"+listen)
			must(t, leave(log))
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
			p.ends(t, syscall.SIGTERM)
			if name == "stalled" { // what was said first is there
				text, err := io.ReadAll(log)
				if err != nil || !bytes.Contains(text, []byte(`"msg":"serving"`)) || bytes.Count(text, []byte("\n")) < 100 {
					t.Errorf("%d bytes of the log, %v", len(text), err)
				}
			}
		})
	}
}

// TestStandInNobodyReads checks the same of the stand-in, from its first line
// on, and that it ends in order by SIGHUP.
func TestStandInNobodyReads(t *testing.T) {
	t.Parallel()
	listen := freeAddress(t)
	p, log := unread(t, "sochi", []string{"SOCHI_LISTEN=" + listen})
	must(t, log.Close())
	p.serves(t, "http://"+listen)
	p.ends(t, syscall.SIGHUP)
}

// TestHangupThatIsIgnored checks that a portal under nohup outlives its
// terminal.
func TestHangupThatIsIgnored(t *testing.T) {
	t.Parallel()
	listen := freeAddress(t)
	cmd := exec.Command("sh", "-c", `trap "" HUP; exec "$0" serve`, binary(t, "elsom"))
	cmd.Env = cleanEnvironment([]string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + listen})
	p := launch(t, "elsom", cmd)
	p.serves(t, "http://"+listen)
	must(t, p.cmd.Process.Signal(syscall.SIGHUP))
	time.Sleep(300 * time.Millisecond)
	p.serves(t, "http://"+listen)
	p.ends(t, syscall.SIGTERM)
}

// TestCommandsNobodyReads checks that a command whose output is closed ends
// quietly, with the exit code of what it did.
func TestCommandsNobodyReads(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"ELSOM_DATABASE_URL=" + address}
			if told := operate(t, env, "migrate"); told.code != 0 {
				t.Fatal(told.err)
			}
			for _, args := range []string{
				"migrate", "audit", "agent list", "gateway list", "catalog export", "vapid", "example kannel", "example kannel-ussd",
				"example assetlinks --package kg.example.wallet --fingerprint " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), "--help", "--version",
			} {
				if code, errs := deaf(t, env, strings.Fields(args)...); code != 0 || errs != "" {
					t.Errorf("%s ended with %d: %s", args, code, errs)
				}
			}
			// The exit code is the same when the list is not read.
			books := databasetest.Reopen(t, address)
			_, err := books.Pool().Exec("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (1, 'wallet', 'nobody', 'KGS', 5, CURRENT_TIMESTAMP)")
			must(t, err)
			if code, errs := deaf(t, env, "audit"); code != 1 {
				t.Errorf("an audit that finds something ended with %d: %s", code, errs)
			}
		})
	}
}

// deaf runs a command whose standard output is a pipe without a reader.
func deaf(t testing.TB, env []string, args ...string) (code int, errs string) {
	t.Helper()
	read, write, err := os.Pipe()
	must(t, err)
	must(t, read.Close())
	defer func() { _ = write.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t, "elsom"), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = write, &said, cleanEnvironment(env), t.TempDir()
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}
