package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// One wallet as its callers see it: what it holds, and what was posted under
// each of its keys (0: nothing).
type purse struct {
	holds  money.Amount
	posted [purseKeys]money.Amount
}

const (
	purseKeys    = 8
	purseAtFirst = money.Amount(50)
)

// doing is a posting of an amount under a key, or, of nothing, a look at the
// balance.
type doing struct {
	key    int
	amount money.Amount
}

// What callers are told besides the words of told.
const (
	unknown     = "unknown"     // it may have been done
	unavailable = "unavailable" // it was not done
	done        = "done"        // ok or same: a lost commit is found as one made before
)

// step gives the purses that there may be after a caller was told so.
func (p purse) step(d doing, said string) []any {
	switch {
	case said == unavailable:
		return []any{p}
	case said == unknown:
		if after, would := p.post(d); would == "ok" {
			return []any{p, after}
		}
		return []any{p}
	case d.amount == 0:
		if said == p.holds.String() {
			return []any{p}
		}
		return nil
	}
	after, would := p.post(d)
	if would == said || said == done && (would == "ok" || would == "same") {
		return []any{after}
	}
	return nil
}

// post is what the books promise of one posting at a time.
func (p purse) post(d doing) (purse, string) {
	switch before := p.posted[d.key]; {
	case before == d.amount:
		return p, "same"
	case before != 0:
		return p, "conflict"
	case p.holds+d.amount < 0:
		return p, "short" + p.holds.String()
	}
	p.holds += d.amount
	p.posted[d.key] = d.amount
	return p, "ok"
}

var purses = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{purse{holds: purseAtFirst}} },
	Step: func(state, input, output any) []any {
		return state.(purse).step(input.(doing), output.(string))
	},
}).ToModel()

// history is what was asked of one wallet, and when.
type history struct {
	wallet int64
	mu     sync.Mutex
	list   []porcupine.Operation
	left   map[int]bool // by place in the list: its caller gave up, and it may go on
	lossy  bool         // commits are lost
}

func (h *history) String() string {
	var text strings.Builder
	for _, o := range h.list {
		_, _ = fmt.Fprintf(&text, "\n%4d–%4d  %+v: %s", o.Call, o.Return, o.Input, o.Output)
	}
	return text.String()
}

// Many at once, through two ledgers of one database, with few keys, refusals,
// looks at the balance, and callers that give up: each wallet's answers are
// those of one posting after the other, in an order that nobody could see
// broken. What a caller doesn't know may have been done until the ledgers were
// closed, once or never.
func TestHistoriesAreLinearizable(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		unknowns := 0
		for range 12 {
			unknowns += oneHistory(t, db, nil)
		}
		if unknowns == 0 {
			t.Error("nobody gave up: nothing was left open")
		}
		newBooks(t, db).proved()
	})
}

// oneHistory has many ask at once, while trouble is on (nil: there is none), and
// gives how many answers were left open.
func oneHistory(t *testing.T, db *database.DB, trouble func(on bool)) (unknowns int) {
	t.Helper()
	ledgers := []*books{newBooks(t, db), newBooks(t, db)}
	var clock atomic.Int64
	wallets := make([]*history, 3)
	for i := range wallets {
		wallets[i] = &history{wallet: ledgers[0].wallet(purseAtFirst), left: map[int]bool{}, lossy: trouble != nil}
	}
	if trouble != nil {
		trouble(true)
	}
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			for range 15 {
				wallets[rand.IntN(len(wallets))].ask(ledgers[n%2], drawn(), &clock)
			}
		})
	}
	callers.Wait()
	for _, b := range ledgers {
		b.Close()
	}
	if trouble != nil {
		trouble(false)
	}
	for _, h := range wallets {
		for i := range h.list {
			if h.list[i].Output == unknown {
				unknowns++
			}
			if h.left[i] {
				h.list[i].Return = clock.Add(1)
			}
		}
		h.ask(ledgers[0], doing{}, &clock)
		if verdict := porcupine.CheckOperationsTimeout(purses, h.list, time.Minute); verdict != porcupine.Ok {
			t.Fatalf("%s: in no order could they be told so:%s", verdict, h)
		}
	}
	return unknowns
}

// drawn is what a caller does next: a key stands mostly for one amount.
func drawn() doing {
	if rand.IntN(5) == 0 {
		return doing{}
	}
	d := doing{key: rand.IntN(purseKeys)}
	d.amount = []money.Amount{-20, 15, -35, -5, 30, -40, 10, -25}[d.key]
	if rand.IntN(8) == 0 {
		d.amount++
	}
	return d
}

// ask does it and writes down what was said; every fourth caller gives up soon.
func (h *history) ask(b *books, d doing, clock *atomic.Int64) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if d.amount != 0 && rand.IntN(4) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
	}
	defer cancel()
	o := porcupine.Operation{Input: d, Call: clock.Add(1)}
	o.Output = h.said(ctx, b, d)
	o.Return = clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left[len(h.list)] = o.Output == unknown && ctx.Err() != nil
	h.list = append(h.list, o)
}

func (h *history) said(ctx context.Context, b *books, d doing) string {
	if d.amount == 0 {
		balance, err := b.Balance(ctx, h.wallet)
		if err != nil {
			return err.Error()
		}
		return balance.String()
	}
	receipt, err := b.Post(ctx, between(fmt.Sprint("purse:", h.wallet, ":", d.key), b.bank, h.wallet, d.amount))
	switch {
	case fault.Is(err, fault.Unknown):
		return unknown
	case fault.Is(err, fault.Unavailable):
		return unavailable
	}
	if h.lossy && err == nil {
		return done
	}
	return told(receipt, err)
}
