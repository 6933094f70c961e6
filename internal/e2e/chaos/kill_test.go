package chaos_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// Two portals run on one database; one of them is killed while at least a hundred
// payments are in flight. On SQLite they are two processes on one file, as the
// portal and an operator's command.
func TestKillOneOfTwo(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newScenario(t, address, 2, scale(2, 6))
			kills := scale(1, 20)
			fewest, unanswered := 1<<30, 0
			for kill := range kills {
				flying, asked := d.killOne(kill)
				fewest, unanswered = min(fewest, flying), unanswered+asked
			}
			d.waitEnded()
			d.compareBooks()
			d.report("%d kills, at least %d payments in flight at each, %d submissions without an answer then; %s",
				kills, fewest, unanswered, d.summary())
		})
	}
}

// minInFlight is the minimum number of payments in flight at each kill.
const minInFlight = 100

// standInModes are modes of the stand-in before a kill; several alternate. Slow
// ones keep payments in flight.
var standInModes = [][]string{
	{"mode=slow&seconds=30"},
	{"mode=slow&seconds=1"},
	{"mode=slow&seconds=1", "mode=drop-after"},
	{"mode=slow&seconds=1", "mode=refuse&result=5", "mode=error-after"},
	{"mode=slow&seconds=1", "mode=broken", "mode=drop-before"},
	{"mode=slow&seconds=1", "mode=refuse&result=300", "mode=error-before"},
}

// killOne kills a portal during payments, starts it again, and sends half of those
// not accepted again.
func (d *scenario) killOne(kill int) (processing, unanswered int) {
	d.t.Helper()
	orders := d.drafts(minInFlight + 60)
	calm := (&crashTest{Site: d.Site}).cycleStandIn(d.t, standInModes[d.random.intN(len(standInModes))])
	victim := d.anyPortal()
	at, after := make([]*system.Site, len(orders)), make([]time.Duration, len(orders))
	for i := range at {
		at[i], after[i] = d.anyPortal(), time.Duration(d.random.intN(150))*time.Millisecond
	}
	enough, least := make(chan struct{}), int64(minInFlight+d.random.intN(40))
	var accepted, answered atomic.Int64
	var all sync.WaitGroup
	for i, a := range orders {
		all.Go(func() {
			time.Sleep(after[i])
			if d.press(at[i], a) == gotAccepted && accepted.Add(1) == least {
				close(enough)
			}
			answered.Add(1)
		})
	}
	for i := range 4 {
		c := d.customers[i%len(d.customers)]
		all.Go(func() { d.cashIn(c, 1000) })
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		d.t.Fatalf("kill %d: only %d of %d payments were accepted", kill, accepted.Load(), least)
	}
	time.Sleep(time.Duration(d.random.intN(10)) * time.Millisecond)
	unanswered = len(orders) - int(answered.Load())
	if err := victim.Portal.Cmd.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	<-victim.Portal.Done
	processing = d.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'")
	if processing < minInFlight {
		d.t.Errorf("kill %d: only %d payments were in flight", kill, processing)
	}
	victim.Start(d.t)
	all.Wait()
	calm()
	d.pressAgain(orders)
	return processing, unanswered
}

// pressAgain sends half of the orders that were not accepted again. Those that were
// refused must not be in our books before.
func (d *scenario) pressAgain(orders []*order) {
	d.t.Helper()
	var all sync.WaitGroup
	for _, a := range orders {
		s := d.anyPortal()
		if a.outcome == gotAccepted || d.random.intN(2) == 0 {
			continue
		}
		if a.outcome == gotRefused && d.count("SELECT COUNT(*) FROM payments WHERE id = "+a.draft) != 0 {
			d.t.Errorf("payment %s was answered %s, but is in our books", a.draft, strings.Join(a.answers, ", "))
		}
		all.Go(func() { d.press(s, a) })
	}
	all.Wait()
}
