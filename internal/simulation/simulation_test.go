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
	one   = flag.Uint64("seed", 0, "live this one life and tell its story")
	seeds = flag.Uint64("seeds", 0, "how many lives; 0: as many as fit in some seconds")
	from  = flag.Uint64("from", 1, "the first seed")
	span  = flag.Duration("for", 0, "how long lives go on; 0: some seconds, or as -seeds says")
)

// A quick run's length.
const (
	quick = 15 * time.Second
	short = 3 * time.Second
)

// memory is where the lives' databases stand: in memory where the machine has
// a file system there.
func memory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "elsom-lives") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// TestLives lives life after life until one fails.
func TestLives(t *testing.T) {
	folder := memory(t)
	h := build(t, folder)
	if *one != 0 {
		l := live(settled(t, h, folder), *one)
		t.Log(l.tell())
		if l.failure != "" {
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

// count is what all lives together came to.
type count struct {
	sync.Mutex
	began    time.Time
	lived    int
	tally    tally
	underway map[uint64]bool // seeds
	next     uint64          // seed that nobody has begun
	failed   *life           // the one with the lowest seed
}

// take gives the next seed.
func (c *count) take() uint64 {
	c.Lock()
	defer c.Unlock()
	seed := c.next
	c.next++
	c.underway[seed] = true
	return seed
}

func (c *count) ended(l *life) {
	c.Lock()
	defer c.Unlock()
	delete(c.underway, l.seed)
	c.lived++
	c.tally.add(l.tally)
	if l.failure != "" && (c.failed == nil || l.seed < c.failed.seed) {
		c.failed = l
	}
}

func (c *count) over() bool {
	c.Lock()
	defer c.Unlock()
	return c.failed != nil
}

// String tells how far it came: below the seed that it names all are lived, so
// that a run that ends here can go on from there.
func (c *count) String() string {
	c.Lock()
	defer c.Unlock()
	from := c.next
	for seed := range c.underway {
		from = min(from, seed)
	}
	took := time.Since(c.began)
	return fmt.Sprintf("%d lives in %s, %.1f a second, all before seed %d; %+v",
		c.lived, took.Round(time.Second), float64(c.lived)/took.Seconds(), from, c.tally)
}

// run lives on all cores, from the first seed on, and tells every ten seconds
// how far it is.
func run(t *testing.T, h *house, folder string, limit uint64, patience time.Duration) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // lives are short, and little is kept of them
	all := &count{began: time.Now(), underway: map[uint64]bool{}, next: *from}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	done := make(chan struct{})
	var workers, teller sync.WaitGroup
	teller.Go(func() {
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
		at := settled(t, h, folder)
		workers.Go(func() {
			for !all.over() && (patience == 0 || time.Since(all.began) < patience) {
				seed := all.take()
				if limit > 0 && seed-*from >= limit {
					return
				}
				all.ended(live(at, seed))
			}
		})
	}
	workers.Wait()
	close(done)
	teller.Wait()
	t.Log(all)
	if l := all.failed; l != nil {
		t.Errorf("%sagain: go test ./internal/simulation -run TestLives -seed %d", l.tell(), l.seed)
		return
	}
	dull := slices.Contains([]int{all.tally.completed, all.tally.refunded, all.tally.decided, all.tally.cashIns,
		all.tally.transfers, all.tally.deaths, all.tally.lostCommits}, 0)
	if patience != short && (limit == 0 || limit > 100) && dull {
		t.Error("dull lives prove nothing")
	}
}

func settled(t *testing.T, h *house, folder string) *place {
	t.Helper()
	at, err := settle(h, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.leave)
	return at
}

// A life is its seed's: lived twice, it tells the same story.
func TestSameSeedSameLife(t *testing.T) {
	folder := memory(t)
	h := build(t, folder)
	here, there := settled(t, h, folder), settled(t, h, folder)
	for seed := range uint64(5) {
		first, second := live(here, 1000+seed), live(there, 1000+seed)
		if a, b := storyOf(first), storyOf(second); a != b {
			t.Fatalf("seed %d:\n%s\nand then:\n%s", 1000+seed, a, b)
		}
	}
}

func storyOf(l *life) string { return strings.Join(l.story, "\n") }
