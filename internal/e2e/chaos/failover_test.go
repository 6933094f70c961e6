package chaos_test

import (
	"sync"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

// TestPostgresRestarts stops PostgreSQL with `immediate` under load. The portals
// run on and recover without a restart.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	server := system.NewPostgres(t)
	d := newScenario(t, server.ServingAddress("elsom"), 2, scale(2, 6))
	restarts, least := scale(1, 10), 1<<30
	for range restarts {
		least = min(least, d.pressDuring(120, func() {
			if err := server.StopImmediately(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(d.random.intN(500)) * time.Millisecond)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
		}))
	}
	d.waitEnded()
	d.compareBooks()
	d.report("PostgreSQL restarted %d times, at least %d submissions in flight at each; %s", restarts, least, d.summary())
}

// TestStandbyTakesOver kills the primary during payments. Its synchronous standby,
// which has every acknowledged commit, is promoted, and the portals connect to it.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	primary := system.NewPostgres(t)
	standby, err := primary.StartStandby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Stop)
	d := newScenario(t, primary.FailoverAddress(standby, "elsom"), 2, scale(2, 6))
	unanswered := d.pressDuring(scale(100, 300), func() {
		primary.Kill()
		time.Sleep(time.Duration(d.random.intN(500)) * time.Millisecond)
		if err := standby.Promote(); err != nil {
			t.Fatal(err)
		}
	})
	// The next payments go to it.
	for _, a := range d.drafts(20) {
		if d.press(d.anyPortal(), a) != gotAccepted {
			t.Errorf("after the promotion: %v", a.answers)
		}
	}
	d.waitEnded()
	d.compareBooks()
	d.report("the primary was killed with %d submissions in flight; %s", unanswered, d.summary())
}

// pressDuring sends payments within a third of a second, calls fault meanwhile, and
// returns how many were in flight then. Half of those not accepted are sent again.
func (d *scenario) pressDuring(presses int, fault func()) (unanswered int) {
	d.t.Helper()
	orders := d.drafts(presses)
	defer (&crashTest{Site: d.Site}).cycleStandIn(d.t, standInModes[d.random.intN(len(standInModes))])()
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, a := range orders {
		s, after := d.anyPortal(), time.Duration(d.random.intN(300))*time.Millisecond
		all.Go(func() {
			time.Sleep(after)
			mu.Lock()
			unanswered++
			mu.Unlock()
			d.press(s, a)
			mu.Lock()
			unanswered--
			mu.Unlock()
		})
	}
	c := d.customers[d.random.intN(len(d.customers))]
	all.Go(func() { d.cashIn(c, 1000) })
	time.Sleep(time.Duration(50+d.random.intN(200)) * time.Millisecond)
	mu.Lock()
	then := unanswered
	mu.Unlock()
	fault()
	all.Wait()
	d.pressAgain(orders)
	return then
}
