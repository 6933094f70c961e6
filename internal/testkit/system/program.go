package system

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// PeakMemory returns the peak resident memory of a running process in MiB. (The
// kernel's figure for an ended process includes its parent's.)
func PeakMemory(pid int) int64 {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib >> 10
		}
	}
	return 0
}

// Output is what a command printed, and its exit code.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a command of elsom until it exits.
func Run(t testing.TB, env []string, args ...string) Output {
	t.Helper()
	return RunInput(t, env, "", args...)
}

// RunInput is Run with a text on standard input.
func RunInput(t testing.TB, env []string, input string, args ...string) Output {
	t.Helper()
	path := Binary(t, "elsom") // before the deadline starts: the first call builds it
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &out, &errs, Environment(env), t.TempDir()
	cmd.Stdin = strings.NewReader(input)
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("elsom %s did not exit: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return Output{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// Program is a running or ended process.
type Program struct {
	Name string
	Log  string // path of the file with its output
	Cmd  *exec.Cmd
	Done chan struct{} // closed when it has ended
}

// Start starts a program. It is stopped at the end of the test.
func Start(t testing.TB, name string, env []string, args ...string) *Program {
	t.Helper()
	cmd := exec.Command(Binary(t, name), args...)
	cmd.Env = Environment(env)
	return Launch(t, name, cmd)
}

// Launch starts a command like Start. Its output goes to the log unless the
// command has an output set. At the end the log is searched for private data.
func Launch(t testing.TB, name string, cmd *exec.Cmd) *Program {
	t.Helper()
	folder := t.TempDir()
	p := &Program{Name: name, Log: filepath.Join(folder, name+".log"), Done: make(chan struct{})}
	log, err := os.Create(p.Log)
	if err != nil {
		t.Fatal(err)
	}
	p.Cmd = cmd
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	if cmd.Stderr == nil {
		cmd.Stderr = log
	}
	if cmd.Dir == "" {
		cmd.Dir = folder
	}
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// Pdeathsig is sent when the thread that started the process ends, so this
		// goroutine keeps its thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.Cmd.Start()
		started <- err
		if err == nil {
			_ = p.Cmd.Wait()
			_ = log.Close()
			close(p.Done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		p.Stop(syscall.SIGTERM)
		searchLog(t, name, p.Log)
		if t.Failed() {
			t.Logf("last lines of %s:\n%s", name, p.LogTail())
		}
	})
	return p
}

// Stop sends a signal and waits; after 20 seconds it sends SIGKILL.
func (p *Program) Stop(signal syscall.Signal) {
	_ = p.Cmd.Process.Signal(signal)
	select {
	case <-p.Done:
	case <-time.After(20 * time.Second):
		_ = p.Cmd.Process.Kill()
		<-p.Done
	}
}

// LogTail returns the last 30 lines of the log.
func (p *Program) LogTail() string {
	content, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// WaitHealthy waits up to a minute until the health check at base succeeds.
func (p *Program) WaitHealthy(t testing.TB, base string) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.Done:
			t.Fatalf("%s ended before it was healthy:\n%s", p.Name, p.LogTail())
		default:
		}
		response, err := client.Get(base + "/healthz")
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s is not healthy:\n%s", p.Name, p.LogTail())
}

// FreeAddress returns a loopback address with a free port.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
