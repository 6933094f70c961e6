package payment

import (
	"testing"
	"time"
)

// The slot of a call that goes on is never among those that are given back.
func TestACallKeepsItsSlot(t *testing.T) {
	h, now := newHeld(), time.Now()
	until := now.Add(time.Minute)
	var all []slot
	for number := range int64(slots) {
		all = append(all, slot{Biller: "dostek", Slot: number + 1, Lease: 1})
	}
	if spare := h.take(all, until, slots, now); len(spare) != 0 {
		t.Fatalf("%d spare of %d", len(spare), slots)
	}
	for range slots {
		h.begin(func() time.Time { return now })
	}
	for _, s := range h.slots {
		if s.Slot != slots {
			h.end(s, time.Second)
		}
	}
	spare := h.take(all, until, 1, now)
	if len(spare) != slots-2 {
		t.Fatalf("%d spare with two calls", len(spare))
	}
	for _, s := range spare {
		if s.Slot == slots {
			t.Fatal("a call's slot is spare")
		}
	}
}
