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
			d := newDisaster(t, primary.FailoverAddress(standby, "elsom"), 2, 4)
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
			cash := d.cashOf(3)
			for range 2 {
				d.askAll(1, orders, cash, func(what string, told word) {
					if told == isOK {
						t.Errorf("%s is acknowledged without the standby", what)
					}
				})
			}
			if cancelled && d.count("SELECT COUNT(*) FROM cash_ins WHERE sum = 700") == 0 {
				t.Error("the primary shows nothing: nothing was tried")
			}
			primary.Kill()
			must(standby.Start())
			must(standby.Promote())
			for _, s := range d.portals {
				s.WaitHealthStatus(t, http.StatusOK)
			}
			// The first try may meet a connection that was lost.
			d.askAll(3, orders, cash, func(what string, told word) {
				if told != isOK {
					t.Errorf("%s is not acknowledged after the promotion", what)
				}
			})
			d.settle()
			d.compare()
			for _, a := range orders {
				t.Log(a.was)
			}
			d.told("%s", d.tally())
		})
	}
}

// cashOf is cash for n holders that their terminals have not brought yet.
func (d *disaster) cashOf(n int) (list []*cash) {
	for i := range n {
		c := &cash{who: d.holders[i], id: system.NewTxnID(), amount: 700, told: isUnknown}
		list = append(list, c)
		d.log.cash = append(d.log.cash, c)
	}
	return list
}

// askAll asks for all at once, and looks at the receipts of the payments.
func (d *disaster) askAll(tries int, orders []*act, list []*cash, judge func(what string, told word)) {
	d.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	tell := func(what string, told word) {
		mu.Lock()
		defer mu.Unlock()
		judge(what, told)
	}
	for _, c := range list {
		s := d.any()
		all.Go(func() {
			told := isUnknown
			for try := 0; try < tries && told != isOK; try++ {
				if answer, err := s.TerminalRequest("pay", c.id, c.who.Phone, "7.00"); err == nil && answer.Result == 0 {
					told = isOK
				}
			}
			d.log.mu.Lock()
			c.told = told
			d.log.mu.Unlock()
			tell("cash "+c.id, told)
		})
	}
	for _, a := range orders {
		s := d.any()
		all.Go(func() {
			before := a.told
			told := d.press(s, a)
			if before == isUnknown && told == isRefused {
				d.t.Errorf("payment %s may have been accepted, and is told to be refused: %v", a.draft, a.was)
			}
			for try := 1; try < tries && told != isOK; try++ {
				told = d.press(s, a)
			}
			tell("payment "+a.draft, told)
			if told != isOK {
				tell("receipt "+a.draft, a.who.receipt(s, a.draft))
			}
		})
	}
	all.Wait()
}

// receipt looks for a payment's receipt.
func (h *holder) receipt(s *system.Site, draft string) word {
	client := *h.client
	client.Timeout = 40 * time.Second
	answer, err := client.Get(s.BaseURL + "/receipt/" + draft)
	if err != nil {
		return isUnknown
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode == http.StatusOK {
		return isOK
	}
	return isUnknown
}
