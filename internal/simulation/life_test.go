package simulation_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"elsom/internal/money"
	"elsom/internal/notify/sms"
)

// life is one seed's.
type life struct {
	seed   uint64
	rng    *rand.Rand
	clock  time.Time
	place  *place
	faulty bool // until the faults stop
	house  *house

	processes []*process // alive
	opened    int
	running   *process // whose step it is
	at        *task
	tasks     []*task // parked
	fuse      fuse

	billers  map[string]*company
	underway []letter
	texts    phoneBook
	clients  clients
	seen     seen
	changed  bool // something was committed since it was looked at

	tally   tally
	story   []string
	aliases map[string]int // of drawn numbers, in the story
	failure string
}

// tally counts what happened, so that nobody takes dull lives for good ones.
type tally struct{ completed, refunded, decided, cashIns, transfers, messages, deaths, lostCommits int }

func (t *tally) add(o tally) {
	t.completed += o.completed
	t.refunded += o.refunded
	t.decided += o.decided
	t.cashIns += o.cashIns
	t.transfers += o.transfers
	t.messages += o.messages
	t.deaths += o.deaths
	t.lostCommits += o.lostCommits
}

// steps is how long a life is before the faults stop.
const steps = 60

var dawn = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// live lives a seed's life at a place and gives it back, ended.
func live(at *place, seed uint64) *life {
	l := &life{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 0x656c736f6d)), clock: dawn, faulty: true, house: at.house,
		place: at, billers: map[string]*company{}, aliases: map[string]int{},
		texts: phoneBook{taken: map[string]bool{}, at: map[string]time.Time{}, excused: map[string]bool{}, received: map[string]bool{}},
	}
	for _, code := range billerCodes {
		l.billers[code] = &company{code: code, stored: code == "dostek",
			booked: map[string]money.Amount{}, over: map[string]bool{}}
	}
	l.clients.begin(at.house)
	at.life = l
	if err := at.wipe(); err != nil {
		l.wrong("the place isn't clean: %v", err)
		return l
	}
	l.processes = append(l.processes, l.open())
	defer l.close()
	defer func() {
		if r := recover(); r != nil {
			l.wrong("the simulation itself: %v", r)
		}
	}()
	for n := range steps {
		if l.step(); n < 4 {
			l.payIn(l.processes[0]) // there is money to pay with
		}
		l.check()
		if l.failure != "" {
			return l
		}
	}
	l.end()
	return l
}

func (l *life) close() {
	died := l.tally.deaths
	defer func() { l.tally.deaths = died }()
	for _, p := range l.processes {
		p.die()
		p.bury()
	}
}

func (l *life) must(err error) {
	if err != nil {
		panic(err)
	}
}

// chance is true in so many of a hundred cases.
func (l *life) chance(percent int) bool { return l.rng.IntN(100) < percent }

func pick[T any](l *life, list []T) T { return list[l.rng.IntN(len(list))] }

// step is one thing that happens.
func (l *life) step() {
	l.clock = l.clock.Add(time.Duration(1+l.rng.IntN(400)) * time.Millisecond)
	p := pick(l, l.processes)
	if l.chance(12) {
		l.fuse = fuse{blow(1 + l.rng.IntN(3)), 1 + l.rng.IntN(4)}
	}
	for _, one := range l.chances() {
		if l.chance(one.percent) {
			one.happens(p)
			break
		}
	}
	l.fuse = fuse{}
}

// chances are tried in this order; the first that hits happens.
func (l *life) chances() []struct {
	percent int
	happens func(p *process)
} {
	return []struct {
		percent int
		happens func(p *process)
	}{
		{6, l.crash},
		{4, l.another},
		{12, l.jump},
		{8, func(*process) { l.stray() }},
		{14, func(*process) { l.goOn() }},
		{6, l.receipt},
		{3, func(*process) { l.outage() }},
		{2, l.tidy},
		{14, l.payIn},
		{30, l.quote},
		{28, l.accept},
		{16, l.send},
		{4, func(p *process) { l.decide(p) }},
		{60, l.deliver},
		{100, l.text},
	}
}

// crash ends a process wherever its work waits.
func (l *life) crash(p *process) {
	l.say("%s dies", p.name)
	p.die()
	l.funeral(p)
}

// another process starts beside those that run.
func (l *life) another(*process) {
	if len(l.processes) < 3 {
		p := l.open()
		l.processes = append(l.processes, p)
		l.say("%s starts", p.name)
	}
}

// jump moves the clock: mostly on, now and then back.
func (l *life) jump(*process) {
	by := []time.Duration{3 * time.Second, 50 * time.Second, 70 * time.Second, 3 * time.Minute, 20 * time.Minute, 2 * time.Hour, 25 * time.Hour, -time.Hour}
	ahead := pick(l, by)
	l.clock = l.clock.Add(ahead)
	l.say("the clock jumps by %s", ahead)
}

// goOn lets one of the waiting tasks on.
func (l *life) goOn() {
	if len(l.tasks) == 0 {
		return
	}
	t := pick(l, l.tasks)
	l.say("%s goes on: %s", t.process.name, t.where)
	l.let(t)
	l.after(t)
}

func (l *life) after(t *task) {
	for _, waits := range l.tasks {
		if waits == t {
			return
		}
	}
	if t.what == textWork && !t.process.dead.Load() {
		l.texts.settled(t.process)
	}
}

// stray lets a request whose sender may be dead arrive.
func (l *life) stray() {
	if len(l.underway) == 0 {
		return
	}
	one := pick(l, l.underway)
	l.arrives(one.to, one.r)
	answer := one.to.receive(l, one.r)
	l.say("a request to %s %s arrives late: %s", one.to.code, l.alias(one.r.TxnID), answer.Outcome)
}

// receipt brings a phone's receipt of a message that the gateway took: from
// then on it must not be sent again, whatever became of the answer.
func (l *life) receipt(p *process) {
	if len(l.texts.receipts) == 0 {
		return
	}
	one := pick(l, l.texts.receipts)
	_, err, answered := ask(l, p, "receipt", func(ctx context.Context) (bool, error) {
		return true, p.messages.Receive(ctx, sms.Receipt{Token: one.token, State: sms.Delivered})
	})
	l.say("%s hears that %s is delivered: %v", p.name, l.alias(one.id), err)
	if answered && err == nil {
		l.texts.received[one.id] = true
	}
}

// outage makes a company fall silent, or come back.
func (l *life) outage() {
	c := l.billers[pick(l, billerCodes)]
	c.away = !c.away
	l.say("%s is away: %v", c.code, c.away)
}

// tidy deletes the drafts that can no longer be accepted.
func (l *life) tidy(p *process) {
	n, err, _ := ask(l, p, "tidy", func(ctx context.Context) (int64, error) {
		n, err := p.payments.Purge(ctx)
		if err != nil {
			return n, err
		}
		m, err := p.transfers.Purge(ctx)
		return n + m, err
	})
	l.say("%s deletes %d drafts: %v", p.name, n, err)
}

const textWork = "sms"

// deliver takes up deliveries of a biller.
func (l *life) deliver(p *process) {
	code := pick(l, billerCodes)
	l.work(p, "deliveries to "+code, code)
}

func (l *life) text(p *process) { l.work(p, textWork, "") }

// work claims from a lane and does what was claimed, one task after the other.
func (l *life) work(p *process, what, code string) int {
	w := p.texts
	if code != "" {
		w = p.billers[code]
	}
	n := 1 + l.rng.IntN(3)
	ctx := context.Background()
	var work []func()
	l.begin(p, "claim "+what, func() {
		tasks, err := p.claim(ctx, w, n)
		if p.dead.Load() {
			return // the life goes on beside it
		}
		if err != nil {
			l.say("  %s can't claim: %v", p.name, err)
			return
		}
		for _, t := range tasks {
			work = append(work, func() { w.Do(ctx, t) })
		}
	})
	if p.dead.Load() {
		return 0
	}
	if len(work) > 0 {
		l.say("%s takes up %d %s", p.name, len(work), what)
	}
	for _, do := range work {
		if p.dead.Load() {
			break
		}
		l.after(l.begin(p, what, do))
	}
	return len(work)
}

func (l *life) tell() string {
	text := fmt.Sprintf("seed %d: %s\n", l.seed, l.failure)
	for _, line := range l.story {
		text += "  " + line + "\n"
	}
	return text
}

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }
