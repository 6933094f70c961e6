package chaos_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

// TestStandbyAway stops the synchronous standby: nothing may be
// acknowledged, not even repeats whose rows can be read on the primary. Then it
// kills the primary and promotes the standby: everything acknowledged is there,
// and the rest can be repeated.
func TestStandbyAway(t *testing.T) {
	t.Parallel()
	for name, cancelled := range map[string]bool{"waits are cancelled": true, "waits go on": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			primary := system.NewPostgres(t)
			standby, err := primary.StartStandby()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(standby.Stop)
			d := newScenario(t, primary.FailoverAddress(standby, "elsom"), 2, 4)
			orders := d.drafts(4)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(standby.StopImmediately())
			if cancelled {
				primary.CancelCommitWaits(t)
			}
			cash := d.newCash(3)
			for range 2 {
				d.sendAll(1, orders, cash, func(what string, out outcome) {
					if out == gotAccepted {
						t.Errorf("%s was accepted without the standby", what)
					}
				})
			}
			if cancelled && d.count("SELECT COUNT(*) FROM cash_ins WHERE sum = 700") == 0 {
				t.Error("the primary has no cash-in: no request was made")
			}
			primary.Kill()
			must(standby.Start())
			must(standby.Promote())
			for _, s := range d.portals {
				s.WaitHealthStatus(t, http.StatusOK)
			}
			// The first try may use a connection that was lost.
			d.sendAll(3, orders, cash, func(what string, out outcome) {
				if out != gotAccepted {
					t.Errorf("%s was not accepted after the promotion", what)
				}
			})
			d.waitEnded()
			d.compareBooks()
			for _, a := range orders {
				t.Log(a.answers)
			}
			d.report("%s", d.summary())
		})
	}
}

// newCash returns unsent cash-ins of n customers.
func (d *scenario) newCash(n int) (list []*cash) {
	for i := range n {
		c := &cash{customer: d.customers[i], id: system.NewTxnID(), amount: 700, outcome: gotUnknown}
		list = append(list, c)
		d.log.cash = append(d.log.cash, c)
	}
	return list
}

// sendAll sends all requests concurrently, each up to tries times, and reads the
// receipts of payments that were not accepted. It calls check with each outcome.
func (d *scenario) sendAll(tries int, orders []*order, list []*cash, check func(what string, out outcome)) {
	d.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	report := func(what string, out outcome) {
		mu.Lock()
		defer mu.Unlock()
		check(what, out)
	}
	for _, c := range list {
		s := d.anyPortal()
		all.Go(func() {
			out := gotUnknown
			for try := 0; try < tries && out != gotAccepted; try++ {
				if answer, err := s.TerminalRequest("pay", c.id, c.customer.Phone, "7.00"); err == nil && answer.Result == 0 {
					out = gotAccepted
				}
			}
			d.log.mu.Lock()
			c.outcome = out
			d.log.mu.Unlock()
			report("cash "+c.id, out)
		})
	}
	for _, a := range orders {
		s := d.anyPortal()
		all.Go(func() {
			before := a.outcome
			out := d.press(s, a)
			if before == gotUnknown && out == gotRefused {
				d.t.Errorf("payment %s may have been accepted, but is now refused: %v", a.draft, a.answers)
			}
			for try := 1; try < tries && out != gotAccepted; try++ {
				out = d.press(s, a)
			}
			report("payment "+a.draft, out)
			if out != gotAccepted {
				report("receipt "+a.draft, a.customer.receipt(s, a.draft))
			}
		})
	}
	all.Wait()
}

// receipt reads a payment's receipt.
func (h *customer) receipt(s *system.Site, draft string) outcome {
	client := *h.client
	client.Timeout = 40 * time.Second
	answer, err := client.Get(s.BaseURL + "/receipt/" + draft)
	if err != nil {
		return gotUnknown
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode == http.StatusOK {
		return gotAccepted
	}
	return gotUnknown
}
