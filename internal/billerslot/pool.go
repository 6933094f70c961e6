package billerslot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"elsom/internal/database"
)

// Pool has this process's leases on one biller's slots. A slot serves one call at a
// time, and its lease is renewed as long as there are calls.
//
// Calls are announced before they are made: Renew returns how many may be
// announced, Keep announces them, Acquire waits for a slot for one of them, and
// Release ends it.
type Pool struct {
	slots  *Slots
	biller string

	mu           sync.Mutex
	changed      sync.Cond
	leased       map[int64]*Slot // by number
	open         int             // announced calls that haven't been released
	meanDuration time.Duration   // moving average of the duration of calls
	depth        int             // calls announced per slot
	refused      time.Time       // when Renew last found no free slot for a call
}

// Slot is a leased slot of a pool.
type Slot struct {
	lease Lease
	until time.Time // when the lease expires
	busy  bool      // a call is being made
}

// Pool returns a new, empty pool of a biller's slots. A process should have one
// pool for each biller.
func (s *Slots) Pool(biller string) *Pool {
	p := &Pool{slots: s, biller: biller, leased: map[int64]*Slot{}, meanDuration: initialDuration, depth: 1}
	p.changed.L = &p.mu
	return p
}

// initialDuration is the assumed duration of a call before the first one, long enough
// that no call is announced ahead of a free slot.
const initialDuration = time.Second

// MaxDepth is the largest number of calls announced per slot. Announced calls of a
// process that crashes count as attempts with an unknown outcome.
const MaxDepth = 8

// retryAfter is the pause before further calls are announced after Renew found no
// free slot.
const retryAfter = 250 * time.Millisecond

// Capacity returns how many more calls may be announced now. Where calls are shorter
// than ahead, this is more than there are slots, so that calls needn't wait for the
// transaction that announces them; they are then announced many at a time.
func (p *Pool) Capacity(ahead time.Duration) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	//mutant:replace >= 0 && since => ./internal/payment TestCapacityWhileOthersHaveAllSlots
	if since := p.slots.db.Now().Sub(p.refused); since >= 0 && since < retryAfter { // negative: the clock was set back
		return 0
	}
	p.depth = int(max(1, min(MaxDepth, ahead/max(p.meanDuration, 1))))
	limit := p.depth * Size
	if p.depth > 1 && p.open > limit/2 {
		return 0
	}
	return limit - p.open
}

// MeanDuration returns the moving average of the duration of calls.
func (p *Pool) MeanDuration() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meanDuration
}

// Renewal is what Renew leased. Calls is how many calls may be announced with it.
type Renewal struct {
	Calls  int
	Until  time.Time // when the leases expire
	leases []Lease
}

// Renew renews all leases of the pool and leases more slots for up to n more
// calls, in tx. The pool changes only when Keep is called after the commit.
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

// keep returns the leases that no call needs. If no call could be announced for
// lack of slots, Capacity returns 0 for retryAfter or until a call ends: the caller
// would otherwise try again for each new payment.
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

// Acquire waits for a free slot whose lease lasts until the time that beyond
// returns. It returns nil if no lease of the pool lasts that long. In both cases
// the call must be ended by Release.
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

// Release ends an announced call and frees its slot, which is nil if Acquire
// returned nil. took is the call's duration.
func (p *Pool) Release(s *Slot, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	p.refused = time.Time{}
	if s != nil {
		s.busy = false
		p.meanDuration = (3*p.meanDuration + took) / 4
	}
	p.changed.Broadcast()
}

// ReleaseIdle releases all leases of the pool unless a call is announced.
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
