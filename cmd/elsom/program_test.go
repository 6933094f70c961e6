package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Tests in this package start the programs as an operator does. `make build`
// builds them once for all tests.
func TestMain(m *testing.M) {
	// A signal that is ignored here (by nohup) would be ignored by the programs
	// that the tests start; one that is caught here is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	code := m.Run()
	closeBrowser()
	if folder, err := binaries(); err == nil {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

var binaries = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "elsom-bin-")
	if err != nil {
		return "", err
	}
	return folder, build(exec.Command("make", "-s", "build", "BIN="+folder))
})

func build(cmd *exec.Cmd) error {
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "MAKEFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// disasterProgram is elsom with what the disaster suite needs inside it: it
// tells of its commits, and its clock can be put off.
const disasterProgram = "elsom-disaster"

var disasterBinary = sync.OnceValue(func() error {
	folder, err := binaries()
	if err != nil {
		return err
	}
	return build(exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=disaster", "-o", filepath.Join(folder, disasterProgram), "elsom/cmd/elsom"))
})

func binary(t testing.TB, name string) string {
	t.Helper()
	folder, err := binaries()
	if err == nil && name == disasterProgram {
		err = disasterBinary()
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}

// cleanEnvironment is that of an operator who has set nothing yet.
func cleanEnvironment(env []string) []string {
	var clean []string
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "ELSOM_") && !strings.HasPrefix(line, "SOCHI_") {
			clean = append(clean, line)
		}
	}
	return append(clean, env...)
}

// answer is what a program that ended said, and with which code.
type answer struct {
	out, err string
	code     int
}

// operate runs a command of elsom to its end.
func operate(t testing.TB, env []string, args ...string) answer {
	t.Helper()
	return operateWith(t, env, "", args...)
}

// operateWith runs it with a text on standard input.
func operateWith(t testing.TB, env []string, input string, args ...string) answer {
	t.Helper()
	path := binary(t, "elsom") // built by the first test, which takes its time
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &out, &errs, cleanEnvironment(env), t.TempDir()
	cmd.Stdin = strings.NewReader(input)
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("elsom %s did not end: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return answer{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// program is a started program.
type program struct {
	name string
	log  string // path of what it printed
	cmd  *exec.Cmd
	done chan struct{}
}

// start starts a program, which ends with the test or with us.
func start(t testing.TB, name string, env []string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(binary(t, name), args...)
	cmd.Env = cleanEnvironment(env)
	return launch(t, name, cmd)
}

// launch starts any command so. What it prints is its log, unless the command
// has an output of its own.
func launch(t testing.TB, name string, cmd *exec.Cmd) *program {
	t.Helper()
	folder := t.TempDir()
	p := &program{name: name, log: filepath.Join(folder, name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = cmd
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	if cmd.Stderr == nil {
		cmd.Stderr = log
	}
	if cmd.Dir == "" {
		cmd.Dir = folder
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The death signal comes when this thread ends, so it lives as long as
		// the program, and longer: a browser may have been started from it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait()
			_ = log.Close()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		discreet(t, name, p.log)
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, p.lastWords())
		}
	})
	return p
}

// stop ends the program by a signal and waits; after 20 s it is killed.
func (p *program) stop(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func (p *program) lastWords() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// serves waits until the program answers for its health.
func (p *program) serves(t testing.TB, base string) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.done:
			t.Fatalf("%s ended at once:\n%s", p.name, p.lastWords())
		default:
		}
		answer, err := client.Get(base + "/healthz")
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s doesn't serve:\n%s", p.name, p.lastWords())
}

// freeAddress gives a loopback address that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
