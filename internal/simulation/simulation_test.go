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

// simulation is the simulation of one seed.
type simulation struct {
	seed     uint64
	rng      *rand.Rand
	clock    time.Time
	sandbox  *sandbox
	faulty   bool // until the faults stop
	template *template

	processes []*process // alive
	opened    int
	running   *process // the one that makes a step
	at        *task
	tasks     []*task // parked
	planned   plannedFault

	billers   map[string]*fakeBiller
	inTransit []requestInTransit
	texts     smsState
	clients   clients
	size      bookSize
	changed   bool // something was committed since the last check
	keys      keyFiles
	hasty     bool // keys are changed before every process has read the present ones
	// heads are the checkpoints of the log so far.
	heads     []string
	disturbed bool // another process acts while a batch for the log is held

	tally   tally
	trace   []string
	aliases map[string]int // of ids and codes in the trace
	failure string
}

// tally counts the events by kind, so that a run without one of the kinds fails.
type tally struct{ completed, refunded, decided, cashIns, transfers, messages, deaths, lostCommits, seals, overtaken, rotations int }

func (t *tally) add(o tally) {
	t.completed += o.completed
	t.refunded += o.refunded
	t.decided += o.decided
	t.cashIns += o.cashIns
	t.transfers += o.transfers
	t.messages += o.messages
	t.deaths += o.deaths
	t.lostCommits += o.lostCommits
	t.seals += o.seals
	t.overtaken += o.overtaken
	t.rotations += o.rotations
}

// steps is the number of steps before the faults stop.
const steps = 60

var startTime = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// simulate runs the simulation of a seed in a sandbox and returns it ended.
func simulate(at *sandbox, seed uint64) *simulation {
	s := &simulation{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 0x656c736f6d)), clock: startTime, faulty: true, template: at.template,
		sandbox: at, billers: map[string]*fakeBiller{}, aliases: map[string]int{}, keys: newKeyFiles(), hasty: seed%4 == 0,
		texts: smsState{taken: map[string]bool{}, at: map[string]time.Time{}, mayRepeat: map[string]bool{}, received: map[string]bool{}},
	}
	for _, code := range billerCodes {
		s.billers[code] = &fakeBiller{code: code, stored: code == "dostek",
			booked: map[string]money.Amount{}, refused: map[string]bool{}}
	}
	s.clients.begin(at.template)
	at.current = s
	if err := at.reset(); err != nil {
		s.failf("the sandbox was not reset: %v", err)
		return s
	}
	s.processes = append(s.processes, s.open())
	defer s.close()
	defer func() {
		if r := recover(); r != nil {
			s.failf("the simulation itself: %v", r)
		}
	}()
	for n := range steps {
		if s.step(); n < 4 {
			s.payIn(s.processes[0]) // so that there is money to pay with
		}
		s.check()
		if s.failure != "" {
			return s
		}
	}
	s.end()
	return s
}

func (s *simulation) close() {
	died := s.tally.deaths
	defer func() { s.tally.deaths = died }()
	for _, p := range s.processes {
		p.kill()
		p.waitClosed()
	}
}

func (s *simulation) must(err error) {
	if err != nil {
		panic(err)
	}
}

// chance is true with a probability in percent.
func (s *simulation) chance(percent int) bool { return s.rng.IntN(100) < percent }

func pick[T any](s *simulation, list []T) T { return list[s.rng.IntN(len(list))] }

// step does one random event.
func (s *simulation) step() {
	s.clock = s.clock.Add(time.Duration(1+s.rng.IntN(400)) * time.Millisecond)
	p := pick(s, s.processes)
	if s.chance(12) {
		s.planned = plannedFault{commitFault(1 + s.rng.IntN(3)), 1 + s.rng.IntN(4)}
	}
	for _, one := range s.choices() {
		if s.chance(one.percent) {
			one.do(p)
			break
		}
	}
	s.planned = plannedFault{}
}

// choices are tried in this order; the first one drawn is done.
func (s *simulation) choices() []struct {
	percent int
	do      func(p *process)
} {
	return []struct {
		percent int
		do      func(p *process)
	}{
		{6, s.crash},
		{4, s.startProcess},
		{12, s.jumpClock},
		{8, func(*process) { s.deliverLate() }},
		{14, func(*process) { s.resumeTask() }},
		{6, s.receipt},
		{3, func(*process) { s.outage() }},
		{2, s.purgeDrafts},
		{6, func(*process) { s.rotate() }},
		{10, func(*process) { s.restartOutdated() }},
		{12, func(p *process) { s.seal(p) }},
		{14, s.payIn},
		{30, s.quote},
		{28, s.accept},
		{16, s.send},
		{4, func(p *process) { s.decide(p) }},
		{60, s.deliver},
		{100, s.sendTexts},
	}
}

// crash kills a process with its parked tasks.
func (s *simulation) crash(p *process) {
	s.logf("%s is killed", p.name)
	p.kill()
	s.remove(p)
}

// startProcess starts another process.
func (s *simulation) startProcess(*process) {
	if len(s.processes) < 3 {
		p := s.open()
		s.processes = append(s.processes, p)
		s.logf("%s starts", p.name)
	}
}

// jumpClock moves the clock, mostly forward, sometimes back.
func (s *simulation) jumpClock(*process) {
	by := []time.Duration{3 * time.Second, 50 * time.Second, 70 * time.Second, 3 * time.Minute, 20 * time.Minute, 2 * time.Hour, 25 * time.Hour, -time.Hour}
	ahead := pick(s, by)
	s.clock = s.clock.Add(ahead)
	s.logf("the clock jumps by %s", ahead)
}

// resumeTask resumes one of the parked tasks.
func (s *simulation) resumeTask() {
	if len(s.tasks) == 0 {
		return
	}
	t := pick(s, s.tasks)
	s.logf("%s goes on: %s", t.process.name, t.where)
	s.resume(t)
	s.taskEnded(t)
}

func (s *simulation) taskEnded(t *task) {
	for _, waits := range s.tasks {
		if waits == t {
			return
		}
	}
	if t.what == textWork && !t.process.dead.Load() {
		s.texts.stored(t.process)
	}
}

// deliverLate delivers a request in transit, whose sender may be dead.
func (s *simulation) deliverLate() {
	if len(s.inTransit) == 0 {
		return
	}
	one := pick(s, s.inTransit)
	s.takeRequest(one.to, one.r)
	answer := one.to.receive(s, one.r)
	s.logf("a request to %s %s arrives late: %s", one.to.code, s.alias(one.r.TxnID), answer.Outcome)
}

// receipt delivers the receipt of a message that the gateway accepted. The message
// must not be sent again then, even if the gateway's answer was lost.
func (s *simulation) receipt(p *process) {
	if len(s.texts.receipts) == 0 {
		return
	}
	one := pick(s, s.texts.receipts)
	_, err, answered := call(s, p, "receipt", func(ctx context.Context) (bool, error) {
		return true, p.messages.Receive(ctx, sms.Receipt{Token: one.token, State: sms.Delivered})
	})
	s.logf("%s gets the receipt of %s: %v", p.name, s.alias(one.id), err)
	if answered && err == nil {
		s.texts.received[one.id] = true
	}
}

// outage makes a biller stop answering, or answer again.
func (s *simulation) outage() {
	c := s.billers[pick(s, billerCodes)]
	c.silent = !c.silent
	s.logf("%s is silent: %v", c.code, c.silent)
}

// purgeDrafts deletes the expired drafts.
func (s *simulation) purgeDrafts(p *process) {
	n, err, _ := call(s, p, "purge", func(ctx context.Context) (int64, error) {
		n, err := p.payments.Purge(ctx)
		if err != nil {
			return n, err
		}
		m, err := p.transfers.Purge(ctx)
		return n + m, err
	})
	s.logf("%s deletes %d drafts: %v", p.name, n, err)
}

const textWork = "sms"

// deliver works on the deliveries to a biller.
func (s *simulation) deliver(p *process) {
	code := pick(s, billerCodes)
	s.work(p, "deliveries to "+code, code)
}

func (s *simulation) sendTexts(p *process) { s.work(p, textWork, "") }

// work acquires messages of a queue and handles them one by one.
func (s *simulation) work(p *process, what, code string) int {
	n := 1 + s.rng.IntN(3)
	ctx := context.Background()
	var work []func()
	s.start(p, "acquire "+what, func() {
		tasks, err := p.tasks(ctx, code, n)
		if p.dead.Load() {
			return // the simulation has moved on
		}
		if err != nil {
			s.logf("  %s can't acquire: %v", p.name, err)
			return
		}
		work = tasks
	})
	if p.dead.Load() {
		return 0
	}
	if len(work) > 0 {
		s.logf("%s acquires %d %s", p.name, len(work), what)
	}
	for _, do := range work {
		if p.dead.Load() {
			break
		}
		s.taskEnded(s.start(p, what, do))
	}
	return len(work)
}

func (s *simulation) report() string {
	text := fmt.Sprintf("seed %d: %s\n", s.seed, s.failure)
	for _, line := range s.trace {
		text += "  " + line + "\n"
	}
	return text
}

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }
