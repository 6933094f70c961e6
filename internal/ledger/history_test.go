package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// walletModel is the model of one wallet: its balance, what was posted under each of
// its keys, and what was spent on each day, less what was given back of it.
type walletModel struct {
	balance money.Amount
	posted  [walletKeys]postedAmount
	spent   [historyDays]money.Amount
	last    int // the last day on which something was spent; 0: none
}

// postedAmount is the amount that was posted under a key; 0 if none was.
type postedAmount struct {
	amount   money.Amount
	day      int
	returned bool
}

const (
	walletKeys   = 10
	startBalance = money.Amount(50)
)

// amounts has what is posted under each key. limitsOf has the keys of debits that count
// toward limits, and their limits.
var (
	amounts  = [walletKeys]money.Amount{-20, 15, -35, -5, 30, -40, 10, -25, -10, -15}
	limitsOf = map[int]ledger.Limits{0: {Day: 45, Month: 60}, 2: {Day: 60}, 5: {Month: 70}, 7: {}, 8: {Day: 30, Month: 90}, 9: {Month: 40}}
)

// call posts an amount under a key, or gives back the debit that was posted under it.
// Amount 0 reads the wallet's state.
type call struct {
	key         int
	amount      money.Amount
	returns     bool
	first, last int // days between which it was posted, if it was
}

// Answers that word does not return.
const (
	unknown     = "unknown"     // it may have been done
	unavailable = "unavailable" // it was not done
	done        = "done"        // ok or same: a lost commit is found as an earlier one
)

// step returns the states that are possible after an answer.
func (p walletModel) step(d call, got string) (states []any) {
	if got == unavailable || got == unknown || d.amount == 0 && (got == p.state() || got == p.balance.String()) {
		states = append(states, p)
	}
	if d.amount == 0 || got == unavailable {
		return states
	}
	for day := d.first; day <= d.last; day++ {
		after, would := p.post(d, day)
		if would == got || would == "ok" && got == unknown || got == done && (would == "ok" || would == "same") {
			states = append(states, after)
		}
	}
	return states
}

// post is the specification of a single posting on a day.
func (p walletModel) post(d call, day int) (walletModel, string) {
	before := p.posted[d.key]
	limits, counts := limitsOf[d.key]
	inDay, inMonth := p.spentSince(day)
	switch {
	case d.returns && before.returned:
		return p, "same"
	case d.returns:
		p.balance -= before.amount
		p.spent[before.day] += before.amount
		p.posted[d.key].returned = true
		return p, "ok"
	case before.amount == d.amount:
		return p, "same"
	case before.amount != 0:
		return p, "conflict"
	case p.balance+d.amount < 0:
		return p, "short" + p.balance.String()
	case limits.Day != 0 && inDay-d.amount > limits.Day:
		return p, "day" + max(0, limits.Day-inDay).String()
	case limits.Month != 0 && inMonth-d.amount > limits.Month:
		return p, "month" + max(0, limits.Month-inMonth).String()
	}
	p.balance += d.amount
	p.posted[d.key] = postedAmount{amount: d.amount, day: day}
	if counts {
		p.spent[day] -= d.amount
		p.last = max(p.last, day)
	}
	return p, "ok"
}

// spentSince returns what counts on a day, and in its month. That includes later days,
// which another process, whose clock is ahead, may have begun.
func (p walletModel) spentSince(day int) (inDay, inMonth money.Amount) {
	for on, amount := range p.spent {
		if on >= day {
			inDay += amount
		}
		if on >= day || day < nextMonth {
			inMonth += amount
		}
	}
	return inDay, inMonth
}

// state returns the model as text; see State.
func (p walletModel) state() string {
	inDay, inMonth := p.spentSince(p.last)
	return fmt.Sprintf("%s, day %d %s, month %s", p.balance, p.last, inDay, inMonth)
}

var walletModels = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{walletModel{balance: startBalance}} },
	Step: func(state, input, output any) []any {
		return state.(walletModel).step(input.(call), output.(string))
	},
}).ToModel()

// The days of a history, numbered from 1: on the third a month ends.
const (
	historyDays = 5
	nextMonth   = 4
)

// calendar is the days of a history. It begins on the second.
type calendar struct {
	*clock
	days     [historyDays]int64 // as ledger.DayOf returns them
	uncounts bool               // an earlier release writes to the wallets, too
}

// newCalendar sets a clock to the second day of the nth history.
func newCalendar(now *clock, n int) *calendar {
	c := &calendar{clock: now, uncounts: n%3 == 2}
	begin := time.Date(2026, time.Month(12+n), -1, 6, 0, 0, 0, time.UTC)
	for i := 1; i < historyDays; i++ {
		c.days[i] = ledger.DayOf(begin.Add(time.Duration(i-2) * day))
	}
	c.set(begin)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wavers = n%2 == 1
	return c
}

// number returns the day of a time.
func (c *calendar) number(at time.Time) int { return slices.Index(c.days[:], ledger.DayOf(at)) }

// today returns the day, and whether what is posted may be of the day before.
func (c *calendar) today() (n int, wavers bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.number(c.now), c.wavers
}

// next begins the next day, if the history has one.
func (c *calendar) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ledger.DayOf(c.now) != c.days[historyDays-1] {
		c.now = c.now.Add(day)
	}
}

// history is the calls to one wallet with their answers and times.
type history struct {
	wallet    int64
	ids       [walletKeys]int64 // of the payments, by their keys
	calendar  *calendar
	mu        sync.Mutex
	list      []porcupine.Operation
	paid      []paid
	abandoned map[int]bool // by index in list: the context ended first, and the posting may go on
	lossy     bool         // commits may be lost
}

// paid is a debit that may be given back.
type paid struct {
	key    int
	amount money.Amount
	at     time.Time
}

func (h *history) String() string {
	var text strings.Builder
	for _, o := range h.list {
		_, _ = fmt.Fprintf(&text, "\n%4d–%4d  %+v: %s", o.Call, o.Return, o.Input, o.Output)
	}
	return text.String()
}

// Concurrent callers of two ledgers of one database, with few keys, refusals, limits of
// days and months that begin meanwhile, refunds, reads of the state, and callers that give
// up: the answers of each wallet are linearizable, also where some batches read a clock
// that is a day behind, and where a wallet is not counted anymore. A posting with an
// unknown outcome took effect once or never, and at the latest when the ledgers were
// closed.
func TestHistoriesAreLinearizable(t *testing.T) {
	eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
		answers := map[string]int{}
		for n := range 12 {
			oneHistory(t, db, newCalendar(now, n), nil, answers)
		}
		for _, kind := range []string{"ok", "same", "conflict", "short", "day", "month", unknown} {
			if answers[kind] == 0 {
				t.Errorf("no call was answered %s: %v", kind, answers)
			}
		}
		newBooks(t, db).wantLedgerOK()
	})
}

// oneHistory runs concurrent calls while trouble is on (nil: without trouble) and
// counts the answers.
func oneHistory(t *testing.T, db *database.DB, days *calendar, trouble func(on bool), answers map[string]int) {
	t.Helper()
	ledgers := []*books{newBooks(t, db), newBooks(t, db)}
	var clock atomic.Int64
	wallets := make([]*history, 3)
	for i := range wallets {
		wallets[i] = &history{wallet: ledgers[0].wallet(startBalance), calendar: days, abandoned: map[int]bool{}, lossy: trouble != nil}
		for key := range wallets[i].ids {
			wallets[i].ids[key] = db.NewID()
		}
	}
	if trouble != nil {
		trouble(true)
	}
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			for range 20 {
				h := wallets[rand.IntN(len(wallets))]
				h.call(ledgers[n%2], &clock)
				switch {
				case rand.IntN(60) == 0:
					days.next()
				case days.uncounts && rand.IntN(4) == 0:
					ledgers[0].uncountOne(h.wallet)
				case days.uncounts && rand.IntN(20) == 0:
					_ = ledgers[n%2].CountAll(context.Background()) // whose commit may be lost
				}
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
			answers[strings.TrimRight(h.list[i].Output.(string), "0123456789.,")]++
			if h.abandoned[i] {
				d := h.list[i].Input.(call)
				d.last, _ = days.today()
				h.list[i].Input, h.list[i].Return = d, clock.Add(1)
			}
		}
		h.record(context.Background(), ledgers[0], call{}, time.Time{}, &clock)
		if verdict := porcupine.CheckOperationsTimeout(walletModels, h.list, time.Minute); verdict != porcupine.Ok {
			t.Fatalf("%s: not linearizable:%s", verdict, h)
		}
	}
}

// randomCall draws a call: a key has mostly the same amount.
func (h *history) randomCall() (d call, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case rand.IntN(5) == 0:
		return call{}, at
	case len(h.paid) > 0 && rand.IntN(6) == 0:
		p := h.paid[rand.IntN(len(h.paid))]
		return call{key: p.key, amount: -p.amount, returns: true}, p.at
	}
	d.key = rand.IntN(walletKeys)
	d.amount = amounts[d.key]
	if rand.IntN(8) == 0 {
		d.amount++
	}
	return d, at
}

// call makes a random call and records it. Every fourth posting has a context that ends
// within two milliseconds.
func (h *history) call(b *books, clock *atomic.Int64) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	d, at := h.randomCall()
	if d.amount != 0 && rand.IntN(4) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
	}
	defer cancel()
	h.record(ctx, b, d, at, clock)
}

func (h *history) record(ctx context.Context, b *books, d call, paidAt time.Time, clock *atomic.Int64) {
	var wavers bool
	if d.first, wavers = h.calendar.today(); wavers {
		d.first--
	}
	o := porcupine.Operation{Call: clock.Add(1)}
	answer, postedAt := h.answerTo(ctx, b, d, paidAt)
	d.last, _ = h.calendar.today()
	if !postedAt.IsZero() {
		d.first = h.calendar.number(postedAt)
		d.last = d.first
	}
	o.Input, o.Output, o.Return = d, answer, clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.abandoned[len(h.list)] = answer == unknown && ctx.Err() != nil
	h.list = append(h.list, o)
	if _, counts := limitsOf[d.key]; counts && !d.returns && !postedAt.IsZero() {
		h.paid = append(h.paid, paid{d.key, d.amount, postedAt})
	}
}

// answerTo returns the answer to a call, and when a posting was made.
func (h *history) answerTo(ctx context.Context, b *books, d call, paidAt time.Time) (answer string, postedAt time.Time) {
	if d.amount == 0 {
		state, err := b.State(ctx, h.wallet)
		switch {
		case err != nil:
			return err.Error(), postedAt
		case h.calendar.uncounts: // the sums of a wallet that is not counted may be newer than its balance
			return state.Balance.String(), postedAt
		}
		on := slices.Index(h.calendar.days[:], state.Spent.On)
		return fmt.Sprintf("%s, day %d %s, month %s", state.Balance, on, state.Spent.Day, state.Spent.Month), postedAt
	}
	receipt, err := b.Post(ctx, h.posting(b, d, paidAt))
	switch {
	case fault.Is(err, fault.Unknown):
		return unknown, postedAt
	case fault.Is(err, fault.Unavailable):
		return unavailable, postedAt
	}
	if h.lossy && err == nil {
		return done, receipt.PostedAt
	}
	return word(receipt, err), receipt.PostedAt
}

func (h *history) posting(b *books, d call, paidAt time.Time) ledger.Posting {
	id := h.ids[d.key]
	limits, counts := limitsOf[d.key]
	switch {
	case d.returns:
		return b.refund(id, h.wallet, d.amount, paidAt)
	case counts:
		return b.payment(id, h.wallet, -d.amount, limits)
	}
	return between(fmt.Sprint("wallet:", h.wallet, ":", d.key), b.bank, h.wallet, d.amount)
}
