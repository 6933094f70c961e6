package password

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"

	"elsom/internal/fault"
)

const good = "горы Ала-Тоо весной"

func hasher(t *testing.T) *Hasher {
	t.Helper()
	h, err := New(Hash{MemoryKiB: 64, Passes: 1, AtOnce: 1})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func isBusy(t *testing.T, what string, err, cause error) {
	t.Helper()
	if f := fault.As(err); err == nil || f.Kind != fault.Unavailable || f.Reason != "customer.busy" ||
		f.RetryAfter <= 0 || !errors.Is(err, cause) {
		t.Errorf("%s: %v, want %v", what, err, cause)
	}
}

func TestMatch(t *testing.T) {
	h := hasher(t)
	hash, err := h.Hash(t.Context(), good)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	for _, c := range []struct {
		password, hash string
		right          bool
	}{
		{good, hash, true}, {good + "!", hash, false}, {"", hash, false}, {"", "", false},
		{"no password", "", false}, {strings.Repeat("x", 1000), hash, false},
	} {
		if right, outdated, err := h.Match(t.Context(), c.password, c.hash); right != c.right || outdated || err != nil {
			t.Errorf("%q against %q: %v, %v, %v", c.password, c.hash, right, outdated, err)
		}
	}
}

// Keyboards encode a letter in several ways; hashes from before passwords were
// normalized are of what was typed.
func TestMatchNormalizes(t *testing.T) {
	h, composed, decomposed := hasher(t), "Кара-Кой\u00a0é 7", "Кара-Кои\u0306 e\u0301 7"
	hash, err := h.Hash(t.Context(), composed)
	if err != nil {
		t.Fatal(err)
	}
	old, err := argon2id.CreateHash(decomposed, h.params)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, password, hash string
		right, outdated      bool
	}{
		{"composed", composed, hash, true, false},
		{"decomposed", decomposed, hash, true, false},
		{"another", decomposed + "7", hash, false, false},
		{"old hash, as it was typed", decomposed, old, true, true},
		{"old hash, another", decomposed + "7", old, false, false},
		{"no hash", decomposed, "", false, false},
	} {
		if right, outdated, err := h.Match(t.Context(), c.password, c.hash); right != c.right || outdated != c.outdated || err != nil {
			t.Errorf("%s: %v, %v, %v", c.name, right, outdated, err)
		}
	}
}

func TestDefaultHash(t *testing.T) {
	h, err := New(Hash{})
	if err != nil {
		t.Fatal(err)
	}
	if p := h.params; p.Memory < 19*1024 || p.Iterations < 2 || p.Parallelism != 1 {
		t.Errorf("parameters %+v", p)
	}
	if h.queue.free < 1 {
		t.Error("no concurrency")
	}
}

// The number of concurrent hashes is limited, and a canceled caller leaves the queue.
func TestConcurrencyLimit(t *testing.T) {
	h := hasher(t)
	release, err := h.queue.acquire(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = h.Hash(ctx, good)
	isBusy(t, "a hash", err, context.Canceled)
	_, _, err = h.Match(ctx, good, "") // compared with a dummy
	isBusy(t, "a comparison with nothing", err, context.Canceled)
	release()
	if _, err := h.Hash(t.Context(), good); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

// Under overload the queue is short and the wait bounded.
func TestOverload(t *testing.T) {
	h := hasher(t)
	synctest.Test(t, func(t *testing.T) {
		h.queue = &queue{free: 1}
		release, err := h.queue.acquire(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		const calls = 3 * maxWaiting
		answers := make(chan error, calls)
		for range calls {
			go func() {
				_, err := h.queue.acquire(t.Context(), false)
				answers <- err
			}()
		}
		synctest.Wait()
		if n := len(answers); n != calls-maxWaiting {
			t.Errorf("%d of %d were refused at once", n, calls)
		}
		for range calls - maxWaiting {
			isBusy(t, "queue full", <-answers, errQueueFull)
		}
		time.Sleep(maxWait)
		synctest.Wait()
		if n := len(answers); n != maxWaiting {
			t.Errorf("%d of %d timed out", n, maxWaiting)
		}
		for range len(answers) {
			isBusy(t, "waiting", <-answers, errTimeout)
		}
		release()
		if release, err = h.queue.acquire(t.Context(), false); err != nil {
			t.Fatalf("after the overload: %v", err)
		}
		release()
	})
}

// Callers of normal priority are served first, however many of low priority wait;
// these never fill the queue of the others.
func TestNormalPriorityIsServedFirst(t *testing.T) {
	h := hasher(t)
	synctest.Test(t, func(t *testing.T) {
		h.queue = &queue{free: 1}
		release, err := h.queue.acquire(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var served []string
		wait := func(name string, of *Hasher, n int) {
			for range n {
				go func() {
					release, err := of.queue.acquire(t.Context(), of.lowPriority)
					if err == nil {
						served = append(served, name)
						release()
					}
				}()
			}
			synctest.Wait()
		}
		wait("low", h.LowPriority(), 2*maxWaiting)
		wait("normal", h, 10)
		release()
		synctest.Wait()
		if len(served) != maxWaiting+10 {
			t.Fatalf("%d served", len(served))
		}
		for i, name := range served {
			if (name == "normal") != (i < 10) {
				t.Fatalf("%s was served as number %d", name, i+1)
			}
		}
		if h.queue.free != 1 {
			t.Errorf("%d slots are free", h.queue.free)
		}
	})
}
