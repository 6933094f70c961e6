package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// unknownPhone has no wallet and may dial *900#.
const unknownPhone = "+996550654322"

// TestFencedPrimary makes the primary read-only while its connections stay open.
// Its standby is promoted, and the portals connect to it.
func TestFencedPrimary(t *testing.T) {
	t.Parallel()
	primary := system.NewPostgres(t)
	standby, err := primary.StartStandby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Stop)
	d := newScenario(t, primary.FailoverAddress(standby, "elsom"), 2, scale(2, 6))
	orders := d.drafts(20)
	for _, a := range orders[:8] { // opens connections and prepares statements
		if d.press(d.anyPortal(), a) != gotAccepted {
			t.Fatalf("without a fault: %v", a.answers)
		}
	}
	if err := primary.Set("default_transaction_read_only", "on"); err != nil {
		t.Fatal(err)
	}
	for _, s := range d.portals {
		s.WaitHealthStatus(t, http.StatusServiceUnavailable)
	}
	for _, a := range orders[8:] {
		if out := d.press(d.anyPortal(), a); out == gotAccepted {
			t.Errorf("accepted by a read-only server: %v", a.answers)
		}
	}
	if err := standby.Promote(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for _, s := range d.portals {
		s.WaitHealthStatus(t, http.StatusOK)
	}
	served := time.Since(begin)
	for _, a := range orders[8:] {
		if d.press(d.anyPortal(), a) != gotAccepted {
			t.Errorf("after the promotion: %v", a.answers)
		}
	}
	d.cashIn(d.customers[0], 1000)
	d.waitEnded()
	d.compareBooks()
	d.report("healthy %s after the promotion; %s", served.Round(time.Millisecond), d.summary())
}

// A read-only server, or one whose statements time out, is reported as unavailable
// by every channel: HTTP 503, OSMP 1 or 90, a screen of *900#. Afterwards all
// channels recover.
func TestReadOnlyServerIsUnavailable(t *testing.T) {
	t.Parallel()
	server := system.NewPostgres(t)
	d := newScenario(t, server.ServingAddress("elsom"), 1, 2)
	owner := databasetest.Reopen(t, databasetest.OwnerAddress(server.Address("elsom"))+"&statement_timeout=0")
	set := func(name, value string) {
		t.Helper()
		if err := server.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	requests := 0
	wantUnavailable := func(what string) {
		t.Helper()
		c := d.customers[0]
		for range 3 {
			requests++
			if status, location, _, err := c.post(d.Site, "/pay/dostek", url.Values{"account": {system.NewPerson().INN}, "amount": {"1"}}); err != nil || status != http.StatusServiceUnavailable {
				t.Errorf("%s: a draft: %d %s %v", what, status, location, err)
			}
			if out, err := d.TerminalRequest("pay", fmt.Sprintf("77%05d", requests), c.Phone, "5.00"); err != nil || (out.Result != 1 && out.Result != 90) {
				t.Errorf("%s: a terminal: %+v %v", what, out, err)
			}
			if status, screen, err := d.PostUSSD(fmt.Sprintf("s%d", requests), unknownPhone, ""); err != nil || status != http.StatusOK || !(strings.HasPrefix(screen, "END ") || strings.HasPrefix(screen, "CON ")) {
				t.Errorf("%s: *900#: %d %s %v", what, status, screen, err)
			}
		}
	}
	orders := d.drafts(4)
	set("default_transaction_read_only", "on")
	d.WaitHealthStatus(t, http.StatusServiceUnavailable) // all connections learn of it by a signal
	wantUnavailable("read-only")
	if out := d.press(d.Site, orders[0]); out == gotAccepted {
		t.Error("accepted by a read-only server")
	}
	if d.HealthStatus() != http.StatusServiceUnavailable {
		t.Error("a read-only server is healthy")
	}
	set("default_transaction_read_only", "off")
	d.WaitHealthStatus(t, http.StatusOK)

	set("statement_timeout", "500")
	tx, err := owner.Pool().BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"drafts", "transfers", "cash_ins", "dialogues"} {
		if _, err := tx.Exec("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
	}
	wantUnavailable("statement_timeout")
	if out := d.press(d.Site, orders[1]); out == gotAccepted {
		t.Error("accepted though no statement could be executed")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	set("statement_timeout", "0")
	for _, a := range orders {
		if d.press(d.Site, a) != gotAccepted {
			t.Errorf("after the fault: %v", a.answers)
		}
	}
	d.waitEnded()
	d.compareBooks()
}
