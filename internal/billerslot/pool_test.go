package billerslot

import (
	"testing"
	"time"

	"elsom/internal/database/databasetest"
)

func leases(n int) (list []Lease) {
	for slot := range int64(n) {
		list = append(list, Lease{Biller: "dostek", Slot: slot + 1, ID: 1})
	}
	return list
}

// The slot of a call in progress is never released as surplus.
func TestKeepLeavesBusySlots(t *testing.T) {
	p, now := New(databasetest.SQLite(t)).Pool("dostek"), time.Now()
	renewal := Renewal{Until: now.Add(time.Minute), leases: leases(Size)}
	if surplus := p.keep(renewal, Size, now); len(surplus) != 0 {
		t.Fatalf("%d surplus slots of %d", len(surplus), Size)
	}
	for range Size {
		p.Acquire(func() time.Time { return now })
	}
	for _, s := range p.leased {
		if s.lease.Slot != Size {
			p.Release(s, time.Second)
		}
	}
	surplus := p.keep(renewal, 1, now)
	if len(surplus) != Size-2 {
		t.Fatalf("%d surplus slots with two calls", len(surplus))
	}
	for _, l := range surplus {
		if l.Slot == Size {
			t.Fatal("the slot of a call in progress is surplus")
		}
	}
}
