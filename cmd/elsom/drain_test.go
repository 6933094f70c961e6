package main_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
)

// After SIGTERM or SIGHUP the health check fails, so that load balancers stop sending traffic;
// requests that still arrive are served until the listener closes. What was accepted,
// and is with the biller just then, is finished before the program ends.
func TestDraining(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		// A terminal that is closed is no other end than an operator's.
		signal := map[string]syscall.Signal{"sqlite": syscall.SIGHUP, "postgres": syscall.SIGTERM}[name]
		t.Run(name+" by "+signal.String(), func(t *testing.T) {
			t.Parallel()
			drains(t, newSite(t, address, withoutRateLimits, "ELSOM_DRAIN=2s"), signal)
		})
	}
}

func drains(t *testing.T, s *site, signal syscall.Signal) {
	r, _ := member(t, s, "1000.00")
	inn := somebody().inn
	r.order(inn, "10,50")
	s.switchStand(t, "service", "dostek", "command", "pay", "mode", "slow", "times", "1", "seconds", "4")
	r.press("Оплатить")
	see(t, r, "data-payment-status", "processing")

	if err := s.portal.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	told := ""
	for range 100 {
		if told = s.health(t); told != "ok\n" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if told != "draining\n" {
		t.Fatalf("healthz says %q", told)
	}
	r.open("/cabinet")
	see(t, r, "data-balance", "98950")
	select {
	case <-s.portal.done:
	case <-time.After(30 * time.Second):
		t.Fatal("it doesn't end")
	}
	if code := s.portal.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("ended with %d:\n%s", code, s.portal.lastWords())
	}
	if words := s.portal.lastWords(); !strings.Contains(words, `"msg":"draining","for":"2s"`) {
		t.Errorf("how long it drains is not told:\n%s", words)
	}
	var state string
	books := databasetest.Reopen(t, s.database)
	if err := books.Pool().QueryRow("SELECT state FROM payments").Scan(&state); err != nil || state != "completed" {
		t.Errorf("what was accepted is %s, %v", state, err)
	}
	if got := s.companyBalance(t, inn); got != 1050 {
		t.Errorf("the company has %d", got)
	}
}

// health is what the portal says of itself.
func (s *site) health(t *testing.T) string {
	t.Helper()
	answer, err := http.Get(s.base + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || (answer.StatusCode == http.StatusOK) != strings.HasPrefix(string(text), "ok") {
		t.Fatalf("%d: %q, %v", answer.StatusCode, text, err)
	}
	return string(text)
}
