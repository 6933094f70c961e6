package chaos_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// Fault injection: real portals, a real database and the stand-in for DosTek's
// side, and a fault. Each test has clients that record whether they were answered
// accepted, refused or unknown. When the fault is over, that record, our database
// and the biller's are compared (books_test.go). `make chaos` runs at full length,
// `make test` a short part. Random choices come from the seed; the timing of
// concurrent events does not.
var (
	full     = flag.Bool("chaos", false, "run the fault injection at its full length")
	seedFlag = flag.Uint64("seed", 0, "seed of the fault injection; 0: a random one")
)

// seed returns the run's seed and prints it.
var seed = sync.OnceValue(func() uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64() >> 32
	}
	if *full {
		_, _ = fmt.Fprintf(os.Stdout, "chaos: seed %d\n", seed)
	}
	return seed
})

// scale returns short, or long in a run at full length.
func scale(short, long int) int {
	if *full {
		return long
	}
	return short
}

// random is a random number generator for concurrent use.
type random struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newRandom(t *testing.T) *random {
	t.Helper()
	name := fnv.New64()
	_, _ = name.Write([]byte(t.Name()))
	return &random{rand: rand.New(rand.NewPCG(seed(), name.Sum64()))}
}

// intN returns a random number in [0, n).
func (d *random) intN(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// scenario is portals on one database, the stand-in and their clients.
type scenario struct {
	*system.Site // the first portal
	t            *testing.T
	random       *random
	// portals has all portals, also the first.
	portals   []*system.Site
	customers []*customer
	log       clientLog
	// moved is the net amount of transfers between wallets, by customer.
	moved map[*customer]int64
	// books reads the portals' database.
	books *database.DB
	// checkpointKey is the setting of the key of the log's checkpoints, and head a file
	// with an early one.
	checkpointKey, head string
}

// newScenario starts portals on a fresh database and registers customers with
// money.
func newScenario(t *testing.T, address string, portals, holders int, env ...string) *scenario {
	t.Helper()
	d := &scenario{t: t, random: newRandom(t), moved: map[*customer]int64{}}
	private, _ := newCheckpointKey(t)
	d.checkpointKey = "ELSOM_CHECKPOINT_KEY=" + private
	if !slices.ContainsFunc(env, func(line string) bool { return strings.HasPrefix(line, "ELSOM_CHECKPOINT_KEY") }) {
		env = append(env[:len(env):len(env)], d.checkpointKey)
	}
	d.Site = system.NewSite(t, address, append([]string{system.WithoutRateLimits}, env...)...)
	d.ShortenBillerCalls(t, "1s")
	d.portals = append(d.portals, d.Site)
	for len(d.portals) < portals {
		listen := system.FreeAddress(t)
		next := *d.Site
		next.BaseURL, next.Env = "http://"+listen, append(next.Env[:len(next.Env):len(next.Env)], "ELSOM_LISTEN="+listen)
		next.Start(t)
		d.portals = append(d.portals, &next)
	}
	d.books = databasetest.Reopen(t, d.Database)
	for range holders {
		d.customers = append(d.customers, d.newCustomer())
	}
	d.head = saveCheckpoint(t, d.Site)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed was %d", seed())
		}
	})
	return d
}

// anyPortal returns a random portal.
func (d *scenario) anyPortal() *system.Site { return d.portals[d.random.intN(len(d.portals))] }

// customer has a wallet, a session and a form token.
type customer struct {
	system.Person
	reader *system.Client
	client *http.Client // doesn't follow redirects
	token  url.Values
}

// newCustomer registers a customer with money.
func (d *scenario) newCustomer() *customer {
	d.t.Helper()
	h := &customer{Person: system.NewPerson(), reader: system.NewClient(d.t, d.Site)}
	system.SignUp(d.t, d.Site, h.reader, system.WordsOf[i18n.RU], h.Person)
	h.client = &http.Client{
		Jar: h.reader.HTTP.Jar, Timeout: 40 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	h.takeToken()
	d.cashIn(h, 10_000_00)
	return h
}

// takeToken reads the CSRF token of the customer's session.
func (h *customer) takeToken() {
	h.reader.Open("/pay/dostek")
	_, values := h.reader.Submission(h.reader.Control("Далее"))
	h.token = url.Values{"csrf": values["csrf"]}
}

// report logs a test's figures; in a run at full length at once.
func (d *scenario) report(format string, args ...any) {
	line := fmt.Sprintf("%s: %s", strings.TrimPrefix(d.t.Name(), "Test"), fmt.Sprintf(format, args...))
	if *full {
		_, _ = fmt.Fprintln(os.Stdout, "chaos: "+line)
		return
	}
	d.t.Log(line)
}
