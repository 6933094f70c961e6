package chaos_test

import (
	"sync"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

// PostgreSQL is stopped with `immediate` under load, again and again, and the
// portals never are: they go on by themselves.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	server := system.NewPostgres(t)
	d := newDisaster(t, server.Address("elsom"), 2, size(2, 6))
	restarts, least := size(1, 10), 1<<30
	for range restarts {
		least = min(least, d.struck(120, func() {
			if err := server.StopImmediately(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(d.dice.below(500)) * time.Millisecond)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
		}))
	}
	d.settle()
	d.compare()
	d.told("%d times restarted, at least %d presses unanswered at each; %s", restarts, least, d.tally())
}

// The primary dies for good amid payments. Its synchronous standby, which has
// every acknowledged commit, is promoted, and the portal finds it by itself.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	primary := system.NewPostgres(t)
	standby, err := primary.StartStandby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Stop)
	d := newDisaster(t, primary.FailoverAddress(standby, "elsom"), 2, size(2, 6))
	unanswered := d.struck(size(100, 300), func() {
		primary.Kill()
		time.Sleep(time.Duration(d.dice.below(500)) * time.Millisecond)
		if err := standby.Promote(); err != nil {
			t.Fatal(err)
		}
	})
	// And it is no dead copy: the next payments go to it.
	for _, a := range d.drafts(20) {
		if d.press(d.any(), a) != isOK {
			t.Errorf("after the promotion: %v", a.was)
		}
	}
	d.settle()
	d.compare()
	d.told("the primary was killed with %d presses unanswered; %s", unanswered, d.tally())
}

// struck lets holders press «Оплатить» within a third of a second, does
// something terrible amid it, and gives how many had no answer then. Half of
// those who were not told yes ask again.
func (d *disaster) struck(presses int, terrible func()) (unanswered int) {
	d.t.Helper()
	orders := d.drafts(presses)
	defer (&crash{Site: d.Site}).behave(d.t, moods[d.dice.below(len(moods))])()
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, a := range orders {
		s, after := d.any(), time.Duration(d.dice.below(300))*time.Millisecond
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
	who := d.holders[d.dice.below(len(d.holders))]
	all.Go(func() { d.bring(who, 1000) })
	time.Sleep(time.Duration(50+d.dice.below(200)) * time.Millisecond)
	mu.Lock()
	then := unanswered
	mu.Unlock()
	terrible()
	all.Wait()
	d.askAgain(orders)
	return then
}
