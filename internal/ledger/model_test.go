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

// request is a posting of the model; accounts are indexes into an accountSet.
type request struct {
	Key     string
	Hash    string
	Moves   [][2]int // account, amount
	Ceiling [2]int   // account, ceiling; 0: none
}

func (r request) String() string {
	return fmt.Sprintf("%s %s %v ceiling %v", r.Key, r.Hash, r.Moves, r.Ceiling)
}

// The accounts of a set: wallets, a till that may owe, and a bank.
const (
	wallets   = 3
	tillIndex = wallets
	bankIndex = wallets + 1
	accounts  = wallets + 2
	tillFloor = -60
)

// model is the specification of the ledger, in memory and sequential.
type model struct {
	balances [accounts]int
	posted   map[string]string // key → content
}

func newModel() model { return model{posted: map[string]string{}} }

// post returns the model after a request, and the answer.
func (m model) post(r request) (model, string) {
	content := fmt.Sprint(r.Hash, r.Moves)
	if before, seen := m.posted[r.Key]; seen {
		if before == content {
			return m, "same"
		}
		return m, "conflict"
	}
	var deltas [accounts]int
	order := []int{}
	for _, move := range r.Moves {
		if deltas[move[0]] == 0 {
			order = append(order, move[0])
		}
		deltas[move[0]] += move[1]
	}
	for _, account := range order {
		after := m.balances[account] + deltas[account]
		floor := map[bool]int{true: tillFloor}[account == tillIndex]
		switch {
		case account == bankIndex:
		case deltas[account] < 0 && after < floor:
			return m, "short" + money.Amount(m.balances[account]).String()
		case r.Ceiling[1] > 0 && r.Ceiling[0] == account && deltas[account] > 0 && after > r.Ceiling[1]:
			return m, "above" + money.Amount(m.balances[account]).String()
		}
	}
	next := model{balances: m.balances, posted: maps.Clone(m.posted)}
	for account, delta := range deltas {
		next.balances[account] += delta
	}
	next.posted[r.Key] = content
	return next, "ok"
}

// accountSet is the accounts in the database for one run of a property.
type accountSet struct {
	*books
	ids [accounts]int64
}

var accountSets atomic.Int64

func newAccountSet(b *books) *accountSet {
	w := &accountSet{books: b}
	ids := make([]int64, wallets)
	b.openMany(ids)
	copy(w.ids[:], ids)
	w.ids[tillIndex] = b.open(ledger.Till, tillFloor)
	w.ids[bankIndex] = b.account(ledger.Bank, strconv.FormatInt(accountSets.Add(1), 10))
	return w
}

// requests draws postings with few keys, so that they often collide.
func requests(keys int) *rapid.Generator[request] {
	return rapid.Custom(func(t *rapid.T) request {
		r := request{
			Key:  "k" + strconv.Itoa(rapid.IntRange(1, keys).Draw(t, "key")),
			Hash: rapid.SampledFrom([]string{"", "", "", "x"}).Draw(t, "hash"),
		}
		from, to := rapid.IntRange(0, accounts-1).Draw(t, "from"), rapid.IntRange(0, accounts-2).Draw(t, "to")
		if to >= from {
			to++
		}
		amount := rapid.IntRange(1, 50).Draw(t, "amount")
		r.Moves = [][2]int{{from, -amount}, {to, amount}}
		if third := rapid.IntRange(0, 3*accounts).Draw(t, "third"); third < accounts && third != to && third != from && amount > 1 {
			r.Moves = [][2]int{{from, -amount}, {to, amount - 1}, {third, 1}}
		}
		if rapid.IntRange(0, 2).Draw(t, "bounded") == 0 {
			r.Ceiling = [2]int{to, rapid.IntRange(1, 80).Draw(t, "ceiling")}
		}
		return r
	})
}

func (w *accountSet) posting(r request) ledger.Posting {
	p := ledger.Posting{Key: fmt.Sprint(w.ids[bankIndex], r.Key), Hash: r.Hash, Op: "test"}
	for _, move := range r.Moves {
		e := ledger.Entry{Account: w.ids[move[0]], Amount: money.Amount(move[1])}
		if r.Ceiling[0] == move[0] && move[1] > 0 {
			e.Ceiling = money.Amount(r.Ceiling[1])
		}
		p.Entries = append(p.Entries, e)
	}
	return p
}

func (w *accountSet) answerTo(r request) string {
	return word(w.Post(context.Background(), w.posting(r)))
}

func (w *accountSet) balances() (balances [accounts]int, err error) {
	for i, id := range w.ids {
		balance, err := w.Balance(context.Background(), id)
		if err != nil {
			return balances, err
		}
		balances[i] = int(balance)
	}
	return balances, nil
}

// The ledger answers one caller as the model does.
func TestLedgerMatchesModel(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		rapid.Check(t, func(t *rapid.T) {
			w, m := newAccountSet(b), newModel()
			for _, r := range rapid.SliceOfN(requests(6), 1, 12).Draw(t, "requests") {
				var want string
				m, want = m.post(r)
				if got := w.answerTo(r); got != want {
					t.Fatalf("%v: answered %q, the model %q", r, got, want)
				}
			}
			if got, err := w.balances(); err != nil || got != m.balances {
				t.Fatalf("balances %v (%v), the model has %v", got, err, m.balances)
			}
		})
		b.wantAuditOK()
	})
}

// The answers to concurrent callers, and the balances, are those of the model in
// some order of the requests.
func TestLedgerIsLinearizable(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		one, two := newBooks(t, db), newBooks(t, db)
		rapid.Check(t, func(t *rapid.T) {
			const callers = 4
			w := newAccountSet(one)
			other := &accountSet{books: two, ids: w.ids}
			var history []operation
			var mu sync.Mutex
			var clock atomic.Int64
			var wg sync.WaitGroup
			for caller := range callers {
				list := rapid.SliceOfN(requests(8), 1, 5).Draw(t, "requests")
				through := []*accountSet{w, w, w, other}[caller]
				wg.Go(func() {
					for _, r := range list {
						call := clock.Add(1)
						answer := through.answerTo(r)
						mu.Lock()
						history = append(history, operation{r, answer, call, clock.Add(1)})
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			end, err := w.balances()
			if err != nil {
				t.Fatal(err)
			}
			if !linearizable(history, 0, newModel(), end, map[string]bool{}) {
				t.Fatalf("not linearizable: %v, then %v", history, end)
			}
		})
		one.wantAuditOK()
	})
}

// operation is a request, its answer, and when it began and ended.
type operation struct {
	request
	answer      string
	call, ended int64
}

// linearizable reports whether the requests that are not done yet have an order
// in which the model returns the same answers, and in which a request that ended
// before another began comes first.
func linearizable(history []operation, done uint64, m model, end [accounts]int, seen map[string]bool) bool {
	if done == 1<<len(history)-1 {
		return m.balances == end
	}
	here := fmt.Sprint(done, m.balances) // the posted keys depend on done only
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
		if next, answer := m.post(a.request); answer == a.answer && linearizable(history, done|1<<i, next, end, seen) {
			return true
		}
	}
	return false
}
