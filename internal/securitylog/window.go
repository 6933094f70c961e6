package securitylog

import (
	"context"
	"log/slog"
	"time"
)

// Bounds of what is stored. Within a window the first events of a group have rows of
// their own, with browser and request; the others are counted in one row at its end.
// Groups beyond the maximum share one row for each kind. So a flood of failures
// writes at most maxGroups * (rowsPerGroup + 1) rows a window, and does not use up
// the groups of successes.
const (
	windowLength = 10 * time.Minute
	rowsPerGroup = 3
	maxGroups    = 1000
	// maxQueued bounds the rows in memory while the database can't be written.
	maxQueued = 20_000
)

// A group has the events that differ in browser and request only.
type group struct {
	Kind
	detail, number, network, caller string
	wallet                          int64
}

type counted struct {
	rows int
	more row // the rest; Count is zero if there is none
}

// window has the groups of the current window.
type window struct {
	ends   time.Time
	groups map[group]*counted
	sizes  map[bool]int // number of groups, of successes and others
	kinds  map[Kind]int64
}

// add queues a row or counts it.
func (l *Log) add(now time.Time, r row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !now.Before(l.window.ends) {
		l.endWindow(now)
	}
	kind := Kind{r.Event, r.Outcome}
	l.counts[kind]++
	l.window.kinds[kind]++
	warnOfBurst(kind, l.window.kinds[kind])
	g := group{Kind: kind, detail: r.Detail, number: r.Number, network: r.Network, caller: r.Caller, wallet: r.Wallet}
	c, ok := l.window.groups[g]
	ofSuccesses := r.Outcome == OK
	switch {
	case ok:
	//mutant:replace maxGroups => 1<<30 TestRowsAreBounded
	case l.window.sizes[ofSuccesses] < maxGroups:
		c = &counted{}
		l.window.groups[g], l.window.sizes[ofSuccesses] = c, l.window.sizes[ofSuccesses]+1
	default: // the group of all others of the kind
		g = group{Kind: kind}
		if c = l.window.groups[g]; c == nil {
			c = &counted{rows: rowsPerGroup}
			l.window.groups[g] = c
		}
		r.Detail, r.Number, r.Network, r.Caller, r.Wallet = "", "", "", "", 0
	}
	//mutant:replace c.rows < rowsPerGroup => c.rows < 1<<30 TestRepeatsAreCounted
	if c.rows < rowsPerGroup {
		c.rows++
		l.enqueue(r)
		return
	}
	r.Count = c.more.Count + 1
	r.Browser, r.RequestID, r.Device = "", "", ""
	c.more = r // the newest: its time and id
}

// endWindow queues the counts of the window and begins another one.
func (l *Log) endWindow(now time.Time) {
	for _, c := range l.window.groups {
		if c.more.Count > 0 {
			l.enqueue(c.more)
		}
	}
	l.window = window{
		ends: now.Add(windowLength), groups: map[group]*counted{}, sizes: map[bool]int{}, kinds: map[Kind]int64{},
	}
}

func (l *Log) enqueue(r row) {
	//mutant:drop TestFullQueueDrops
	if len(l.queue) >= maxQueued {
		l.dropped++
		return
	}
	l.queue = append(l.queue, r)
}

// flush writes the queue; with all, the counts of the current window too.
func (l *Log) flush(ctx context.Context, all bool) error {
	now := l.db.Now()
	l.mu.Lock()
	if all || (!l.window.ends.IsZero() && !now.Before(l.window.ends)) {
		l.endWindow(now)
	}
	rows := l.queue
	l.queue = nil
	l.mu.Unlock()
	for len(rows) > 0 {
		n := min(len(rows), batch)
		if err := insert(ctx, l.db, rows[:n]); err != nil {
			l.putBack(rows)
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// putBack queues rows again that could not be written. If their commit succeeded
// nevertheless, their ids are already there and they are not written twice.
func (l *Log) putBack(rows []row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	newer := l.queue
	//mutant:replace rows => nil TestFailedWriteIsRepeated
	l.queue = append([]row(nil), rows...)
	for _, r := range newer {
		l.enqueue(r)
	}
}

// bursts are the numbers of events in a window, of one process, above which a
// warning is logged: an attack, or a fault of ours. Ordinary typing errors stay far
// below. Alarms on the metric can be stricter.
var bursts = map[Kind]int64{
	{Login, Failed}: 200, {Login, Limited}: 200, {Lookup, Limited}: 50,
	{Code, Failed}: 100, {CodeSent, Limited}: 100, {PIN, Failed}: 200, {PIN, Refused}: 100,
	{PasswordReset, OK}: 100, {PasswordChange, Failed}: 50,
	{MachineLogin, Refused}: 50, {MachineLogin, Limited}: 20, {ForgedForm, Refused}: 100, {Request, Limited}: 500,
}

// warnOfBurst logs a warning when a count reaches its limit, so once in a window.
func warnOfBurst(kind Kind, n int64) {
	//mutant:replace n == limit => n > 1<<40 TestBurstIsLogged
	if limit := bursts[kind]; limit > 0 && n == limit {
		slog.Warn("securitylog: burst of events", "event", string(kind.Event), "outcome", string(kind.Outcome), "count", n, "window", windowLength.String())
	}
}
