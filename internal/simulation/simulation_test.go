package simulation_test

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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
		l := liveIn(t, h, folder, *one)
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

// run lives on all cores, from the first seed on.
func run(t *testing.T, h *house, folder string, limit uint64, patience time.Duration) {
	t.Helper()
	began := time.Now()
	var next, lived atomic.Uint64
	var first sync.Map
	var failed atomic.Bool
	var counting sync.Mutex
	var all tally
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for !failed.Load() && (patience == 0 || time.Since(began) < patience) {
				n := next.Add(1) - 1
				if limit > 0 && n >= limit {
					return
				}
				l := liveIn(t, h, folder, *from+n)
				lived.Add(1)
				counting.Lock()
				all.add(l.tally)
				counting.Unlock()
				if l.failure != "" {
					failed.Store(true)
					first.Store(l.seed, l)
				}
			}
		})
	}
	workers.Wait()
	took := time.Since(began)
	t.Logf("%d lives in %s, %.1f a second", lived.Load(), took.Round(time.Second), float64(lived.Load())/took.Seconds())
	t.Logf("%+v", all)
	dull := all.completed == 0 || all.refunded == 0 || all.decided == 0 || all.cashIns == 0 || all.transfers == 0 || all.lostCommits == 0
	if !failed.Load() && patience != short && (limit == 0 || limit > 100) && dull {
		t.Error("dull lives prove nothing")
	}
	var earliest *life
	first.Range(func(_, found any) bool {
		if l := found.(*life); earliest == nil || l.seed < earliest.seed {
			earliest = l
		}
		return true
	})
	if earliest != nil {
		t.Errorf("%sagain: go test ./internal/simulation -run TestLives -seed %d", earliest.tell(), earliest.seed)
	}
}

func liveIn(t *testing.T, h *house, folder string, seed uint64) *life {
	t.Helper()
	own, err := os.MkdirTemp(folder, "life") //nolint:usetesting // a life ends before its test
	if err != nil {
		t.Error(err)
		return &life{seed: seed, failure: err.Error()}
	}
	defer func() { _ = os.RemoveAll(own) }()
	return live(h, own, seed)
}

// A life is its seed's: lived twice, it tells the same story.
func TestSameSeedSameLife(t *testing.T) {
	folder := memory(t)
	h := build(t, folder)
	for seed := range uint64(5) {
		first, second := liveIn(t, h, folder, 1000+seed), liveIn(t, h, folder, 1000+seed)
		if a, b := storyOf(first), storyOf(second); a != b {
			t.Fatalf("seed %d:\n%s\nand then:\n%s", 1000+seed, a, b)
		}
	}
}

func storyOf(l *life) string { return strings.Join(l.story, "\n") }
