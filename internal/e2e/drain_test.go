package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// After SIGTERM or SIGHUP the health check fails, so that load balancers stop
// sending traffic. Requests that still arrive are served until the listener closes.
// A payment that is being delivered is finished before the process exits.
func TestDraining(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		// SIGHUP, of a closed terminal, has the same effect as SIGTERM.
		signal := map[string]syscall.Signal{"sqlite": syscall.SIGHUP, "postgres": syscall.SIGTERM}[name]
		t.Run(name+" by "+signal.String(), func(t *testing.T) {
			t.Parallel()
			drains(t, system.NewSite(t, address, system.WithoutRateLimits, "ELSOM_DRAIN=2s"), signal)
		})
	}
}

func drains(t *testing.T, s *system.Site, signal syscall.Signal) {
	r, _ := system.NewMember(t, s, "1000.00")
	inn := system.NewPerson().INN
	r.OrderPayment(inn, "10,50")
	s.SetStandIn(t, "service", "dostek", "command", "pay", "mode", "slow", "times", "1", "seconds", "4")
	r.Press("Оплатить")
	system.WantAttribute(t, r, "data-payment-status", "processing")

	if err := s.Portal.Cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	out := ""
	for range 100 {
		if out = healthText(s, t); out != "ok\n" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if out != "draining\n" {
		t.Fatalf("healthz says %q", out)
	}
	r.Open("/cabinet")
	system.WantAttribute(t, r, "data-balance", "98950")
	select {
	case <-s.Portal.Done:
	case <-time.After(30 * time.Second):
		t.Fatal("it doesn't exit")
	}
	if code := s.Portal.Cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("ended with %d:\n%s", code, s.Portal.LogTail())
	}
	if words := s.Portal.LogTail(); !strings.Contains(words, `"msg":"serve: draining","for":"2s"`) {
		t.Errorf("the drain time is not logged:\n%s", words)
	}
	var state string
	books := databasetest.Reopen(t, s.Database)
	if err := books.Pool().QueryRow("SELECT state FROM payments").Scan(&state); err != nil || state != "completed" {
		t.Errorf("the payment is %s, %v", state, err)
	}
	if got := s.CompanyBalance(t, inn); got != 1050 {
		t.Errorf("the company has %d", got)
	}
}

// healthText returns the body of the health check.
func healthText(s *system.Site, t *testing.T) string {
	t.Helper()
	answer, err := http.Get(s.BaseURL + "/healthz")
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
