package simulation_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	one   = flag.Uint64("seed", 0, "simulate this seed only and print its trace")
	seeds = flag.Uint64("seeds", 0, "number of seeds; 0: as many as fit in some seconds")
	from  = flag.Uint64("from", 1, "the first seed")
	span  = flag.Duration("for", 0, "how long to simulate; 0: some seconds, or as -seeds says")
)

// How long to simulate without flags.
const (
	quick = 15 * time.Second
	short = 3 * time.Second
)

// tempFolder returns a folder for the databases, in memory if the machine has a
// file system there.
func tempFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "elsom-simulation") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// TestSimulation simulates seed after seed until one fails.
func TestSimulation(t *testing.T) {
	folder := tempFolder(t)
	h := buildTemplate(t, folder)
	if *one != 0 {
		s := simulate(testSandbox(t, h, folder), *one)
		t.Log(s.report())
		if s.failure != "" {
			t.Fatal("it fails")
		}
		return
	}
	limit, patience := *seeds, *span
	if limit == 0 && patience == 0 {
		if patience = quick; testing.Short() {
			patience = short
		}
	}
	run(t, h, folder, limit, patience)
}

// progress is what all simulations did so far.
type progress struct {
	sync.Mutex
	began    time.Time
	finished int
	tally    tally
	underway map[uint64]bool // seeds
	next     uint64          // next seed to simulate
	failed   *simulation     // with the lowest seed
}

// nextSeed returns the next seed.
func (c *progress) nextSeed() uint64 {
	c.Lock()
	defer c.Unlock()
	seed := c.next
	c.next++
	c.underway[seed] = true
	return seed
}

func (c *progress) ended(s *simulation) {
	c.Lock()
	defer c.Unlock()
	delete(c.underway, s.seed)
	c.finished++
	c.tally.add(s.tally)
	if s.failure != "" && (c.failed == nil || s.seed < c.failed.seed) {
		c.failed = s
	}
}

func (c *progress) hasFailed() bool {
	c.Lock()
	defer c.Unlock()
	return c.failed != nil
}

// String describes the progress. All seeds below the one that it names are finished,
// so a later run can continue there.
func (c *progress) String() string {
	c.Lock()
	defer c.Unlock()
	from := c.next
	for seed := range c.underway {
		from = min(from, seed)
	}
	took := time.Since(c.began)
	return fmt.Sprintf("%d seeds in %s, %.1f a second, all before seed %d; %+v",
		c.finished, took.Round(time.Second), float64(c.finished)/took.Seconds(), from, c.tally)
}

// run simulates on all cores, from the first seed on, and logs its progress every
// ten seconds.
func run(t *testing.T, h *template, folder string, limit uint64, patience time.Duration) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // simulations are short, and little of them stays in memory
	all := &progress{began: time.Now(), underway: map[uint64]bool{}, next: *from}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	done := make(chan struct{})
	var workers, reporter sync.WaitGroup
	reporter.Go(func() {
		for {
			select {
			case <-tick.C:
				t.Log(all)
			case <-done:
				return
			}
		}
	})
	for range runtime.GOMAXPROCS(0) {
		at := testSandbox(t, h, folder)
		workers.Go(func() {
			for !all.hasFailed() && (patience == 0 || time.Since(all.began) < patience) {
				seed := all.nextSeed()
				if limit > 0 && seed-*from >= limit {
					return
				}
				all.ended(simulate(at, seed))
			}
		})
	}
	workers.Wait()
	close(done)
	reporter.Wait()
	t.Log(all)
	if s := all.failed; s != nil {
		t.Errorf("%srun it again: go test ./internal/simulation -run TestSimulation -seed %d", s.report(), s.seed)
		return
	}
	incomplete := slices.Contains([]int{all.tally.completed, all.tally.refunded, all.tally.decided, all.tally.cashIns,
		all.tally.transfers, all.tally.deaths, all.tally.lostCommits, all.tally.seals, all.tally.overtaken, all.tally.rotations}, 0)
	if patience != short && (limit == 0 || limit > 100) && incomplete {
		t.Error("some kinds of events never happened: the run showed nothing")
	}
}

func testSandbox(t *testing.T, h *template, folder string) *sandbox {
	t.Helper()
	at, err := newSandbox(h, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.close)
	return at
}

// A seed that is simulated twice has the same trace.
func TestSameSeedSameTrace(t *testing.T) {
	folder := tempFolder(t)
	h := buildTemplate(t, folder)
	here, there := testSandbox(t, h, folder), testSandbox(t, h, folder)
	for seed := range uint64(5) {
		first, second := simulate(here, 1000+seed), simulate(there, 1000+seed)
		if a, b := traceOf(first), traceOf(second); a != b {
			t.Fatalf("seed %d:\n%s\nand again:\n%s", 1000+seed, a, b)
		}
	}
}

func traceOf(s *simulation) string { return strings.Join(s.trace, "\n") }
