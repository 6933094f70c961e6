package chaos_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// The disaster suite: real portals, a real database and the stand-in for
// DosTek's side, and something terrible. Each case has clients that write down
// what they were told, ok, refused or unknown, and compares three books when
// the trouble is over (disaster_books_test.go). `make disaster` runs it long,
// `make test` a short part. What chance draws comes from the seed; when things
// happen at the same moment, their order is the machine's.
var (
	long     = flag.Bool("chaos", false, "run the fault injection at its full length")
	seedFlag = flag.Uint64("seed", 0, "seed of the fault injection; 0: a random one")
)

// theSeed is one for the whole run, and printed.
var theSeed = sync.OnceValue(func() uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64() >> 32
	}
	if *long {
		_, _ = fmt.Fprintf(os.Stdout, "chaos: seed %d\n", seed)
	}
	return seed
})

// size is how much of something a run does.
func size(short, full int) int {
	if *long {
		return full
	}
	return short
}

// dice are thrown by many at once.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newDice(t *testing.T) *dice {
	t.Helper()
	name := fnv.New64()
	_, _ = name.Write([]byte(t.Name()))
	return &dice{rand: rand.New(rand.NewPCG(theSeed(), name.Sum64()))}
}

// below throws a number from 0 up to, and without, n.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// disaster is one case: portals on one database, the stand-in, the clients.
type disaster struct {
	*system.Site // the first portal, which stands for all where one will do
	t            *testing.T
	dice         *dice
	// portals are all of them; a killed one is put back by revive.
	portals []*system.Site
	holders []*holder
	log     clientLog
	// moved is what transfers between wallets brought to each holder.
	moved map[*holder]int64
	// books is a reader of our database, beside the portals.
	books *database.DB
}

// newDisaster opens a house with so many portals on a fresh database, and
// so many holders with money.
func newDisaster(t *testing.T, address string, portals, holders int, env ...string) *disaster {
	t.Helper()
	d := &disaster{t: t, dice: newDice(t), moved: map[*holder]int64{}}
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
		d.holders = append(d.holders, d.join())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed was %d", theSeed())
		}
	})
	return d
}

// any gives one of the portals.
func (d *disaster) any() *system.Site { return d.portals[d.dice.below(len(d.portals))] }

// holder is somebody with a wallet, a browser, and a form token.
type holder struct {
	system.Person
	reader *system.Client
	client *http.Client // follows no redirect
	token  url.Values
}

// join signs somebody up and fills the wallet.
func (d *disaster) join() *holder {
	d.t.Helper()
	h := &holder{Person: system.NewPerson(), reader: system.NewClient(d.t, d.Site)}
	system.SignUp(d.t, d.Site, h.reader, system.WordsOf[i18n.RU], h.Person)
	h.client = &http.Client{
		Jar: h.reader.HTTP.Jar, Timeout: 40 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	h.takeToken()
	d.bring(h, 10_000_00)
	return h
}

// takeToken takes the form token of the holder's session, which all its forms share.
func (h *holder) takeToken() {
	h.reader.Open("/pay/dostek")
	_, values := h.reader.Submission(h.reader.Control("Далее"))
	h.token = url.Values{"csrf": values["csrf"]}
}

// told prints a line of what a case has seen: in a long run at once, so that
// the log proves it.
func (d *disaster) told(format string, args ...any) {
	line := fmt.Sprintf("%s: %s", strings.TrimPrefix(d.t.Name(), "Test"), fmt.Sprintf(format, args...))
	if *long {
		_, _ = fmt.Fprintln(os.Stdout, "chaos: "+line)
		return
	}
	d.t.Log(line)
}
