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

// Two portals on one database; now the one, now the other is killed while at
// least a hundred payments are in flight. SQLite's two are two processes on
// one file, as an operator's commands are beside the portal.
func TestKillOneOfTwo(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisaster(t, address, 2, size(2, 6))
			kills := size(1, 20)
			fewest, unanswered := 1<<30, 0
			for kill := range kills {
				flying, asked := d.killOne(kill)
				fewest, unanswered = min(fewest, flying), unanswered+asked
			}
			d.settle()
			d.compare()
			d.told("%d kills, at least %d payments in flight at each, %d presses without an answer then; %s",
				kills, fewest, unanswered, d.tally())
		})
	}
}

// At least so many payments are in flight at each kill.
const flying = 100

// moods are how the stand-in behaves before a kill, by turns. Slow ones keep
// payments in flight.
var moods = [][]string{
	{"mode=slow&seconds=30"},
	{"mode=slow&seconds=1"},
	{"mode=slow&seconds=1", "mode=drop-after"},
	{"mode=slow&seconds=1", "mode=refuse&result=5", "mode=error-after"},
	{"mode=slow&seconds=1", "mode=broken", "mode=drop-before"},
	{"mode=slow&seconds=1", "mode=refuse&result=300", "mode=error-before"},
}

// killOne kills a portal amid presses, puts it back, and lets half of those who
// got no answer ask again.
func (d *disaster) killOne(kill int) (processing, unanswered int) {
	d.t.Helper()
	orders := d.drafts(flying + 60)
	calm := (&crash{Site: d.Site}).behave(d.t, moods[d.dice.below(len(moods))])
	victim := d.any()
	at, after := make([]*system.Site, len(orders)), make([]time.Duration, len(orders))
	for i := range at {
		at[i], after[i] = d.any(), time.Duration(d.dice.below(150))*time.Millisecond
	}
	enough, least := make(chan struct{}), int64(flying+d.dice.below(40))
	var accepted, answered atomic.Int64
	var all sync.WaitGroup
	for i, a := range orders {
		all.Go(func() {
			time.Sleep(after[i])
			if d.press(at[i], a) == isOK && accepted.Add(1) == least {
				close(enough)
			}
			answered.Add(1)
		})
	}
	for i := range 4 {
		who := d.holders[i%len(d.holders)]
		all.Go(func() { d.bring(who, 1000) })
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		d.t.Fatalf("kill %d: only %d of %d payments were accepted", kill, accepted.Load(), least)
	}
	time.Sleep(time.Duration(d.dice.below(10)) * time.Millisecond)
	unanswered = len(orders) - int(answered.Load())
	if err := victim.Portal.Cmd.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	<-victim.Portal.Done
	processing = d.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'")
	if processing < flying {
		d.t.Errorf("kill %d: only %d payments were in flight", kill, processing)
	}
	victim.Start(d.t)
	all.Wait()
	calm()
	d.askAgain(orders)
	return processing, unanswered
}

// askAgain lets half of those who were told nothing, or no, press again at any
// portal. Whoever was told no is right until then.
func (d *disaster) askAgain(orders []*act) {
	d.t.Helper()
	var all sync.WaitGroup
	for _, a := range orders {
		s := d.any()
		if a.told == isOK || d.dice.below(2) == 0 {
			continue
		}
		if a.told == isRefused && d.count("SELECT COUNT(*) FROM payments WHERE id = "+a.draft) != 0 {
			d.t.Errorf("payment %s was told %s, and is in our books", a.draft, strings.Join(a.was, ", "))
		}
		all.Go(func() { d.press(s, a) })
	}
	all.Wait()
}
