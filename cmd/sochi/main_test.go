package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/biller/osmp"
)

// child makes the test binary run the program, so that it can be killed.
var child = flag.Bool("sochi-child", false, "be the program instead of its tests")

func TestMain(m *testing.M) {
	flag.Parse()
	if *child {
		os.Args = os.Args[:1]
		main()
		return
	}
	os.Exit(m.Run())
}

// program starts the program and returns its address.
func program(t *testing.T, database string) (*exec.Cmd, string) {
	t.Helper()
	c := command(t, "SOCHI_LISTEN=127.0.0.1:0", "SOCHI_DATABASE="+database)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), "http://")
	return c, "http://" + address
}

func command(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-sochi-child")
	c.Env = append(os.Environ(), environment...)
	return c
}

// Killed repeatedly under load: acknowledged payments are booked, and after repeats
// of all requests each payment is booked once.
func TestKilledUnderLoad(t *testing.T) {
	const payments, rounds = 60, 3
	database := filepath.Join(t.TempDir(), "sochi.db")
	for range rounds {
		c, address := program(t, database)
		client := osmp.New(osmp.Options{URL: address + "/pay", Timeout: patient, Conns: 8})
		var wait sync.WaitGroup
		var answered atomic.Int32
		for i := range payments {
			wait.Go(func() {
				if payNumber(t.Context(), client, i).Outcome == biller.Good {
					answered.Add(1)
				}
			})
		}
		for answered.Load() < payments/4 {
			time.Sleep(time.Millisecond)
		}
		_ = c.Process.Kill()
		wait.Wait()
		_ = c.Wait()
	}
	_, address := program(t, database)
	client := osmp.New(osmp.Options{URL: address + "/pay", Timeout: patient})
	for i := range payments {
		if a := payNumber(t.Context(), client, i); a.Outcome != biller.Good {
			t.Fatalf("payment %d: %+v", i, a)
		}
	}
	s := &standIn{t: t, address: address}
	s.wantBalance(payments * 101)
}

func payNumber(ctx context.Context, client *osmp.Client, n int) biller.Answer {
	r := sampleRequest
	r.TxnID, r.Sum = fmt.Sprint(1000+n), 101
	return client.Pay(ctx, r)
}

// Shutdown completes slow responses, drops silent ones, and ends.
func TestStopDrains(t *testing.T) {
	b, err := openBooks(t.Context(), filepath.Join(t.TempDir(), "sochi.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, b) }()
	s := &standIn{t: t, address: "http://" + listener.Addr().String()}
	s.setSwitch(url.Values{"service": {dostek}, "mode": {slow}, "seconds": {"600"}})
	s.setSwitch(url.Values{"service": {aknet}, "mode": {silentAfter}})

	slowAnswer, silentAnswer := make(chan biller.Answer, 1), make(chan biller.Answer, 1)
	go func() { slowAnswer <- s.client("/pay", patient).Pay(t.Context(), sampleRequest) }()
	go func() { silentAnswer <- s.client("/pay/aknet", patient).Pay(t.Context(), sampleRequest) }()
	for s.balance("/companies/"+ourINN) == 0 || s.balance("/contracts/aknet/"+ourINN) == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if a := <-slowAnswer; a.Outcome != biller.Good {
		t.Errorf("the slow response: %+v", a)
	}
	if a := <-silentAnswer; a.Outcome != biller.Unknown {
		t.Errorf("the silent response: %+v", a)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTermEndsTheProgram(t *testing.T) {
	c, address := program(t, filepath.Join(t.TempDir(), "sochi.db"))
	response, err := http.Get(address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestStartErrorsAreOneLine(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database ", 400)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, environment := range map[string][]string{
		"address in use":  {"SOCHI_LISTEN=" + listener.Addr().String(), "SOCHI_DATABASE=" + filepath.Join(t.TempDir(), "a.db")},
		"not loopback":    {"SOCHI_LISTEN=0.0.0.0:0"},
		"every interface": {"SOCHI_LISTEN=:8090"},
		"not an address":  {"SOCHI_LISTEN=8090"},
		"not a port":      {"SOCHI_LISTEN=127.0.0.1:http0", "SOCHI_DATABASE=" + filepath.Join(t.TempDir(), "b.db")},
		"not a database":  {"SOCHI_LISTEN=127.0.0.1:0", "SOCHI_DATABASE=" + file},
		"not a folder":    {"SOCHI_LISTEN=127.0.0.1:0", "SOCHI_DATABASE=" + filepath.Join(file, "c.db")},
	} {
		c := command(t, environment...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		err := c.Run()
		if c.ProcessState.ExitCode() != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.HasPrefix(stderr.String(), "sochi: ") {
			t.Errorf("%s: %v, %q", name, err, stderr.String())
		}
		variable, _, _ := strings.Cut(environment[len(environment)-1], "=")
		if name == "address in use" || name == "not a port" {
			variable = "SOCHI_LISTEN"
		}
		if !strings.Contains(stderr.String(), variable) {
			t.Errorf("%s: %q doesn't name %s", name, stderr.String(), variable)
		}
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:8090": true, "localhost:0": true, "[::1]:8090": true, "127.8.8.8:1": true,
		"0.0.0.0:8090": false, ":8090": false, "192.168.1.2:8090": false, "sochi.example:80": false, "": false,
	} {
		if err := loopback(listen); (err == nil) != want {
			t.Errorf("%q: %v", listen, err)
		}
	}
}
