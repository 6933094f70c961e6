package billerslot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"elsom/internal/database"
)

// Pool holds this process's leases on one biller's slots. Leases are kept from
// call to call while there is work; each call uses one alone.
//
// Calls are announced before they are made: Renew and Keep count calls to come,
// Acquire waits for a slot for one of them, and Release ends it.
type Pool struct {
	slots  *Slots
	biller string

	mu      sync.Mutex
	changed sync.Cond
	leased  map[int64]*Slot // by number
	open    int             // announced calls that haven't been released
	pace    time.Duration   // moving average of the duration of calls
	depth   int             // calls announced per slot
	refused time.Time       // when other processes last had all the slots missing here
}

// Slot is a leased slot of a pool.
type Slot struct {
	lease Lease
	until time.Time // the lease expires
	busy  bool
}

// Pool returns an empty pool of a biller's slots. A process has one for a biller.
func (s *Slots) Pool(biller string) *Pool {
	p := &Pool{slots: s, biller: biller, leased: map[int64]*Slot{}, pace: initialPace, depth: 1}
	p.changed.L = &p.mu
	return p
}

// initialPace is the pace before the first call: so slow that none is announced
// ahead.
const initialPace = time.Second

// maxDepth is the largest number of calls announced per slot. Announced calls of a
// process that crashes count as attempts with an unknown outcome.
const maxDepth = 8

// retryAfter is the pause before asking for more slots after other processes had
// all the others.
const retryAfter = 250 * time.Millisecond

// Room returns how many more calls may be announced now. Where calls are shorter
// than ahead, this is more than there are slots, so that calls needn't wait for the
// transaction that announces them; they are then announced many at a time.
func (p *Pool) Room(ahead time.Duration) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	//mutant:replace >= 0 && since => ./internal/payment TestCapacityWhileOthersHaveAllSlots
	if since := p.slots.db.Now().Sub(p.refused); since >= 0 && since < retryAfter { // negative: the clock was set back
		return 0
	}
	p.depth = int(max(1, min(maxDepth, ahead/max(p.pace, 1))))
	limit := p.depth * Size
	if p.depth > 1 && p.open > limit/2 {
		return 0
	}
	return limit - p.open
}

// Pace returns the moving average of the duration of calls.
func (p *Pool) Pace() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pace
}

// Renewal is what Renew leased. Calls is how many calls may be announced with it.
type Renewal struct {
	Calls  int
	Until  time.Time // the leases expire
	leases []Lease
}

// Renew renews all leases of the pool and leases more slots for up to n more
// calls, in tx. Commit tx, then call Keep; without Keep nothing has changed.
func (p *Pool) Renew(tx *database.Tx, n int, duration time.Duration) (Renewal, error) {
	count, renew := p.wanted(n)
	leases, err := acquire(tx, request{biller: p.biller, count: count, from: 1, renew: renew, duration: duration})
	if err != nil {
		return Renewal{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := min(n, max(0, len(leases)*p.depth-p.open))
	return Renewal{Calls: calls, Until: tx.Now().Add(duration), leases: leases}, nil
}

// wanted returns how many slots n more calls need, and the pool's own leases. All
// of them are renewed: one left out would be unusable until it expires.
func (p *Pool) wanted(n int) (count int, renew []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.leased {
		renew = append(renew, s.lease.ID)
	}
	//mutant:replace return max(len(p.leased), min(Size, p.open+n)) => return min(Size, p.open+n) ./internal/payment TestSurplusSlotsAreReleased
	return max(len(p.leased), min(Size, p.open+n)), renew
}

// Keep stores a renewal whose transaction is committed, announces calls, and
// releases the leases that no call needs.
func (p *Pool) Keep(ctx context.Context, r Renewal, calls int) {
	p.release(ctx, p.keep(r, calls, p.slots.db.Now()))
}

// keep returns the leases that no call needs. Where calls wait and no slot was
// free for more, Room is 0 for a while or until a call ends: the caller would
// otherwise ask at each new payment.
//
//mutant:replace s := p.leased[l.Slot] => var s *Slot ./internal/payment TestAcquiredAheadWaitsForASlot
func (p *Pool) keep(r Renewal, calls int, now time.Time) (surplus []Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	leased := map[int64]*Slot{}
	for _, l := range r.leases {
		s := p.leased[l.Slot] // stays busy with its call
		if s == nil {
			s = &Slot{}
		}
		s.lease, s.until = l, r.Until
		leased[l.Slot] = s
	}
	p.leased = leased
	p.open += calls
	if calls == 0 && len(p.leased)*p.depth <= p.open {
		//mutant:replace now => time.Time{} ./internal/payment TestCapacityWhileOthersHaveAllSlots
		p.refused = now
	}
	//mutant:replace 0 && len(p.leased) > p.open => len(r.leases) ./internal/payment TestSurplusSlotsAreReleased
	for i := len(r.leases) - 1; i >= 0 && len(p.leased) > p.open; i-- {
		//mutant:replace !p.leased[l.Slot].busy => true TestKeepLeavesBusySlots
		if l := r.leases[i]; !p.leased[l.Slot].busy {
			surplus = append(surplus, l)
			delete(p.leased, l.Slot)
		}
	}
	p.changed.Broadcast()
	return surplus
}

// Acquire waits for a slot that is free and whose lease lasts beyond the returned
// moment. It returns nil where no lease of the pool lasts so long. Either way the
// call must be ended by Release.
func (p *Pool) Acquire(beyond func() time.Time) *Slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		lasting, moment := false, beyond()
		for _, s := range p.leased {
			if s.until.Before(moment) {
				continue
			}
			lasting = true
			if !s.busy {
				s.busy = true
				return s
			}
		}
		if !lasting {
			return nil
		}
		p.changed.Wait()
	}
}

// Release ends an announced call: its slot, nil where Acquire returned none, is
// free for the next one. took is the call's duration.
func (p *Pool) Release(s *Slot, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	p.refused = time.Time{}
	if s != nil {
		s.busy = false
		p.pace = (3*p.pace + took) / 4
	}
	p.changed.Broadcast()
}

// ReleaseIdle frees all slots where no call is announced.
func (p *Pool) ReleaseIdle(ctx context.Context) { p.release(ctx, p.idle()) }

func (p *Pool) idle() (leases []Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open > 0 {
		return nil
	}
	for number, s := range p.leased {
		leases = append(leases, s.lease)
		delete(p.leased, number)
	}
	return leases
}

func (p *Pool) release(ctx context.Context, leases []Lease) {
	if err := p.slots.Release(ctx, leases...); err != nil { // they expire
		slog.WarnContext(ctx, "billerslot: releasing slots failed", "biller", p.biller, "error", err)
	}
}
