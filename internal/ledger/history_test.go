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

// walletModel is the model of one wallet: its balance, and the amount posted
// under each of its keys (0: nothing).
type walletModel struct {
	balance money.Amount
	posted  [walletKeys]money.Amount
}

const (
	walletKeys   = 8
	startBalance = money.Amount(50)
)

// call posts an amount under a key; amount 0 reads the balance.
type call struct {
	key    int
	amount money.Amount
}

// Answers that word does not return.
const (
	unknown     = "unknown"     // it may have been done
	unavailable = "unavailable" // it was not done
	done        = "done"        // ok or same: a lost commit is found as an earlier one
)

// step returns the states that are possible after an answer.
func (p walletModel) step(d call, got string) []any {
	switch {
	case got == unavailable:
		return []any{p}
	case got == unknown:
		if after, would := p.post(d); would == "ok" {
			return []any{p, after}
		}
		return []any{p}
	case d.amount == 0:
		if got == p.balance.String() {
			return []any{p}
		}
		return nil
	}
	after, would := p.post(d)
	if would == got || got == done && (would == "ok" || would == "same") {
		return []any{after}
	}
	return nil
}

// post is the specification of a single posting.
func (p walletModel) post(d call) (walletModel, string) {
	switch before := p.posted[d.key]; {
	case before == d.amount:
		return p, "same"
	case before != 0:
		return p, "conflict"
	case p.balance+d.amount < 0:
		return p, "short" + p.balance.String()
	}
	p.balance += d.amount
	p.posted[d.key] = d.amount
	return p, "ok"
}

var walletModels = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{walletModel{balance: startBalance}} },
	Step: func(state, input, output any) []any {
		return state.(walletModel).step(input.(call), output.(string))
	},
}).ToModel()

// history is the calls to one wallet with their answers and times.
type history struct {
	wallet    int64
	mu        sync.Mutex
	list      []porcupine.Operation
	abandoned map[int]bool // by index in list: the context ended first, and the posting may go on
	lossy     bool         // commits may be lost
}

func (h *history) String() string {
	var text strings.Builder
	for _, o := range h.list {
		_, _ = fmt.Fprintf(&text, "\n%4d–%4d  %+v: %s", o.Call, o.Return, o.Input, o.Output)
	}
	return text.String()
}

// Concurrent callers of two ledgers of one database, with few keys, refusals,
// reads of the balance, and callers that give up: the answers of each wallet are
// linearizable. A posting with an unknown outcome took effect once or never, and
// at the latest when the ledgers were closed.
func TestHistoriesAreLinearizable(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		unknowns := 0
		for range 12 {
			unknowns += oneHistory(t, db, nil)
		}
		if unknowns == 0 {
			t.Error("no caller gave up: unknown outcomes were not tested")
		}
		newBooks(t, db).wantAuditOK()
	})
}

// oneHistory runs concurrent calls while trouble is on (nil: without trouble) and
// returns the number of unknown outcomes.
func oneHistory(t *testing.T, db *database.DB, trouble func(on bool)) (unknowns int) {
	t.Helper()
	ledgers := []*books{newBooks(t, db), newBooks(t, db)}
	var clock atomic.Int64
	wallets := make([]*history, 3)
	for i := range wallets {
		wallets[i] = &history{wallet: ledgers[0].wallet(startBalance), abandoned: map[int]bool{}, lossy: trouble != nil}
	}
	if trouble != nil {
		trouble(true)
	}
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			for range 15 {
				wallets[rand.IntN(len(wallets))].call(ledgers[n%2], randomCall(), &clock)
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
			if h.abandoned[i] {
				h.list[i].Return = clock.Add(1)
			}
		}
		h.call(ledgers[0], call{}, &clock)
		if verdict := porcupine.CheckOperationsTimeout(walletModels, h.list, time.Minute); verdict != porcupine.Ok {
			t.Fatalf("%s: not linearizable:%s", verdict, h)
		}
	}
	return unknowns
}

// randomCall draws a call: a key has mostly the same amount.
func randomCall() call {
	if rand.IntN(5) == 0 {
		return call{}
	}
	d := call{key: rand.IntN(walletKeys)}
	d.amount = []money.Amount{-20, 15, -35, -5, 30, -40, 10, -25}[d.key]
	if rand.IntN(8) == 0 {
		d.amount++
	}
	return d
}

// call makes a call and records it. Every fourth posting has a context that ends
// within two milliseconds.
func (h *history) call(b *books, d call, clock *atomic.Int64) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if d.amount != 0 && rand.IntN(4) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
	}
	defer cancel()
	o := porcupine.Operation{Input: d, Call: clock.Add(1)}
	o.Output = h.answerTo(ctx, b, d)
	o.Return = clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.abandoned[len(h.list)] = o.Output == unknown && ctx.Err() != nil
	h.list = append(h.list, o)
}

func (h *history) answerTo(ctx context.Context, b *books, d call) string {
	if d.amount == 0 {
		balance, err := b.Balance(ctx, h.wallet)
		if err != nil {
			return err.Error()
		}
		return balance.String()
	}
	receipt, err := b.Post(ctx, between(fmt.Sprint("wallet:", h.wallet, ":", d.key), b.bank, h.wallet, d.amount))
	switch {
	case fault.Is(err, fault.Unknown):
		return unknown
	case fault.Is(err, fault.Unavailable):
		return unavailable
	}
	if h.lossy && err == nil {
		return done
	}
	return word(receipt, err)
}
