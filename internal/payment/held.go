package payment

import (
	"sync"
	"time"
)

// held are the slots of one biller that a process has: it keeps them from call
// to call as long as there is work, and each call has one to itself.
type held struct {
	mu      sync.Mutex
	changed sync.Cond
	slots   map[int64]*heldSlot
	open    int           // deliveries that are claimed and not yet answered
	pace    time.Duration // how long a call took of late
	depth   int           // how many deliveries are claimed for each slot
	refused time.Time     // when others had all the slots that we hadn't
}

type heldSlot struct {
	slot
	until time.Time // its lease ends
	busy  bool
}

// unpaced is the pace of who hasn't been called yet: nothing is claimed ahead.
const unpaced = time.Second

func newHeld() *held {
	h := &held{slots: map[int64]*heldSlot{}, pace: unpaced, depth: 1}
	h.changed.L = &h.mu
	return h
}

// maxDepth times slots are claimed at once at most. What is claimed when a
// process dies counts as tried.
const maxDepth = 8

// room tells how many deliveries may be claimed now: more than there are slots
// where calls are so short that they'd wait for claims. Those that are claimed
// ahead are claimed many at a time.
func (h *held) room(now time.Time, ahead time.Duration) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	//mutant:replace >= 0 && since => TestSlotsOfOthers
	if since := now.Sub(h.refused); since >= 0 && since < askAgain { // a clock may be set back
		return 0
	}
	h.depth = int(max(1, min(maxDepth, ahead/max(h.pace, 1))))
	limit := h.depth * slots
	if h.depth > 1 && h.open > limit/2 {
		return 0
	}
	return limit - h.open
}

// paceOfLate is how long a call took of late.
func (h *held) paceOfLate() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pace
}

// askAgain is after how long more slots are asked for where others had the rest.
const askAgain = 250 * time.Millisecond

// wanted tells how many slots n more deliveries take, and the leases that are
// had already. Each of those is renewed, needed or not: one that is forgotten
// is nobody's until its lease ends.
func (h *held) wanted(n int) (most int, leases []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	leases = []int64{} // never nil: PostgreSQL finds nothing in NULL, and not its contrary
	for _, s := range h.slots {
		leases = append(leases, s.Lease)
	}
	//mutant:replace return max(len(h.slots), min(slots, h.open+n)) => return min(slots, h.open+n) TestSlotsAfterARush
	return max(len(h.slots), min(slots, h.open+n)), leases
}

// fits tells how many deliveries may be claimed with so many slots.
func (h *held) fits(taken int) (deliveries int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, taken*h.depth-h.open)
}

// take keeps what a claim took: slots until their leases end, and deliveries.
// Where none more fits into the slots, others have the rest: more are asked for
// after a while, or when one that is had is free. Whoever pays rings, and a
// process would ask at each ring.
//
// It gives those back that nobody needs and no call has.
//
//mutant:replace one := h.slots[s.Slot] => var one *heldSlot TestClaimedAhead
func (h *held) take(taken []slot, until time.Time, deliveries int, at time.Time) (spare []slot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := map[int64]*heldSlot{}
	for _, s := range taken {
		one := h.slots[s.Slot] // a call that has it goes on
		if one == nil {
			one = &heldSlot{}
		}
		one.slot, one.until = s, until
		now[s.Slot] = one
	}
	h.slots = now
	h.open += deliveries
	if deliveries == 0 && len(h.slots)*h.depth <= h.open {
		//mutant:replace at => time.Time{} TestSlotsOfOthers
		h.refused = at
	}
	//mutant:replace 0 && len(h.slots) > h.open => len(taken) TestSlotsAfterARush
	for i := len(taken) - 1; i >= 0 && len(h.slots) > h.open; i-- {
		//mutant:replace !h.slots[s.Slot].busy => true TestACallKeepsItsSlot
		if s := taken[i]; !h.slots[s.Slot].busy {
			spare = append(spare, s)
			delete(h.slots, s.Slot)
		}
	}
	h.changed.Broadcast()
	return spare
}

// begin waits for a free slot whose lease lasts beyond the given moment; nil:
// there is none to wait for.
func (h *held) begin(beyond func() time.Time) *heldSlot {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		lasting, moment := false, beyond()
		for _, s := range h.slots {
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
		h.changed.Wait()
	}
}

// end gives a call's slot to the next one; took is how long the call was. Who
// began none has no slot.
func (h *held) end(s *heldSlot, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
	h.refused = time.Time{}
	if s != nil {
		s.busy = false
		h.pace = (3*h.pace + took) / 4
	}
	h.changed.Broadcast()
}

// idle takes the slots out that no call has.
func (h *held) idle() (list []slot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open > 0 { // somebody is about to want one
		return nil
	}
	for number, s := range h.slots {
		list = append(list, s.slot)
		delete(h.slots, number)
	}
	return list
}
