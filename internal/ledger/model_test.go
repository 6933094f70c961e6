package ledger_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// request is a posting in the model's terms; accounts are numbers in a world.
type request struct {
	Key   string
	Hash  string
	Moves [][2]int // account, amount
	Most  [2]int   // account, limit; 0: none
}

func (r request) String() string {
	return fmt.Sprintf("%s %s %v most %v", r.Key, r.Hash, r.Moves, r.Most)
}

// The accounts of a world: wallets, a till that may owe, and a bank.
const (
	wallets   = 3
	theTill   = wallets
	theBank   = wallets + 1
	places    = wallets + 2
	tillFloor = -60
)

// model is what the books should say, in memory and one after the other.
type model struct {
	balances [places]int
	posted   map[string]string // key → content
}

func newModel() model { return model{posted: map[string]string{}} }

// post gives the model after a request and the word that it is answered with.
func (m model) post(r request) (model, string) {
	content := fmt.Sprint(r.Hash, r.Moves)
	if before, seen := m.posted[r.Key]; seen {
		if before == content {
			return m, "same"
		}
		return m, "conflict"
	}
	var deltas [places]int
	order := []int{}
	for _, move := range r.Moves {
		if deltas[move[0]] == 0 {
			order = append(order, move[0])
		}
		deltas[move[0]] += move[1]
	}
	for _, place := range order {
		after := m.balances[place] + deltas[place]
		floor := map[bool]int{true: tillFloor}[place == theTill]
		switch {
		case place == theBank:
		case deltas[place] < 0 && after < floor:
			return m, "short" + money.Amount(m.balances[place]).String()
		case r.Most[1] > 0 && r.Most[0] == place && deltas[place] > 0 && after > r.Most[1]:
			return m, "above" + money.Amount(m.balances[place]).String()
		}
	}
	next := model{balances: m.balances, posted: maps.Clone(m.posted)}
	for place, delta := range deltas {
		next.balances[place] += delta
	}
	next.posted[r.Key] = content
	return next, "ok"
}

// world is a set of real accounts for one run of a property.
type world struct {
	*books
	ids [places]int64
}

var worlds atomic.Int64

func newWorld(b *books) *world {
	w := &world{books: b}
	ids := make([]int64, wallets)
	b.openMany(ids)
	copy(w.ids[:], ids)
	w.ids[theTill] = b.open(ledger.Till, tillFloor)
	w.ids[theBank] = b.place(ledger.Bank, strconv.FormatInt(worlds.Add(1), 10))
	return w
}

// requests draws postings with few keys, so that they often meet.
func requests(keys int) *rapid.Generator[request] {
	return rapid.Custom(func(t *rapid.T) request {
		r := request{
			Key:  "k" + strconv.Itoa(rapid.IntRange(1, keys).Draw(t, "key")),
			Hash: rapid.SampledFrom([]string{"", "", "", "x"}).Draw(t, "hash"),
		}
		from, to := rapid.IntRange(0, places-1).Draw(t, "from"), rapid.IntRange(0, places-2).Draw(t, "to")
		if to >= from {
			to++
		}
		amount := rapid.IntRange(1, 50).Draw(t, "amount")
		r.Moves = [][2]int{{from, -amount}, {to, amount}}
		if third := rapid.IntRange(0, 3*places).Draw(t, "third"); third < places && third != to && third != from && amount > 1 {
			r.Moves = [][2]int{{from, -amount}, {to, amount - 1}, {third, 1}}
		}
		if rapid.IntRange(0, 2).Draw(t, "limited") == 0 {
			r.Most = [2]int{to, rapid.IntRange(1, 80).Draw(t, "most")}
		}
		return r
	})
}

func (w *world) posting(r request) ledger.Posting {
	p := ledger.Posting{Key: fmt.Sprint(w.ids[theBank], r.Key), Hash: r.Hash, Op: "test"}
	for _, move := range r.Moves {
		e := ledger.Entry{Account: w.ids[move[0]], Amount: money.Amount(move[1])}
		if r.Most[0] == move[0] && move[1] > 0 {
			e.Ceiling = money.Amount(r.Most[1])
		}
		p.Entries = append(p.Entries, e)
	}
	return p
}

func (w *world) ask(r request) string { return told(w.Post(context.Background(), w.posting(r))) }

func (w *world) balances() (balances [places]int, err error) {
	for i, id := range w.ids {
		balance, err := w.Balance(context.Background(), id)
		if err != nil {
			return balances, err
		}
		balances[i] = int(balance)
	}
	return balances, nil
}

// One caller: the ledger answers word for word as the model does.
func TestLedgerIsItsModel(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		rapid.Check(t, func(t *rapid.T) {
			w, m := newWorld(b), newModel()
			for _, r := range rapid.SliceOfN(requests(6), 1, 12).Draw(t, "requests") {
				var want string
				m, want = m.post(r)
				if got := w.ask(r); got != want {
					t.Fatalf("%v: told %q, the model says %q", r, got, want)
				}
			}
			if got, err := w.balances(); err != nil || got != m.balances {
				t.Fatalf("balances %v (%v), the model has %v", got, err, m.balances)
			}
		})
		b.proved()
	})
}

// Several callers at once: there is an order in which one after the other
// would have been told the same, and the balances are those of that order.
func TestLedgerIsLinearizable(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		one, two := newBooks(t, db), newBooks(t, db)
		rapid.Check(t, func(t *rapid.T) {
			const callers = 4
			w := newWorld(one)
			other := &world{books: two, ids: w.ids}
			var history []asked
			var mu sync.Mutex
			var clock atomic.Int64
			var wg sync.WaitGroup
			for caller := range callers {
				list := rapid.SliceOfN(requests(8), 1, 5).Draw(t, "requests")
				through := []*world{w, w, w, other}[caller]
				wg.Go(func() {
					for _, r := range list {
						call := clock.Add(1)
						said := through.ask(r)
						mu.Lock()
						history = append(history, asked{r, said, call, clock.Add(1)})
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			end, err := w.balances()
			if err != nil {
				t.Fatal(err)
			}
			if !explained(history, 0, newModel(), end, map[string]bool{}) {
				t.Fatalf("in no order could they be told so: %v, then %v", history, end)
			}
		})
		one.proved()
	})
}

// asked is a request, what it was told, and when it began and ended.
type asked struct {
	request
	said        string
	call, ended int64
}

// explained looks for an order of the requests not yet done, that keeps what
// ended before another began, in which the model says what was told.
func explained(history []asked, done uint64, m model, end [places]int, seen map[string]bool) bool {
	if done == 1<<len(history)-1 {
		return m.balances == end
	}
	here := fmt.Sprint(done, m.balances) // the keys follow from what is done
	if seen[here] {
		return false
	}
	seen[here] = true
	first := int64(math.MaxInt64)
	for i, a := range history {
		if done&(1<<i) == 0 {
			first = min(first, a.ended)
		}
	}
	for i, a := range history {
		if done&(1<<i) != 0 || a.call > first {
			continue
		}
		if next, said := m.post(a.request); said == a.said && explained(history, done|1<<i, next, end, seen) {
			return true
		}
	}
	return false
}
