package payment

import (
	"context"
	"log/slog"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// slots is how many calls to one biller may be under way at once over all
// processes: OSMP providers serve 10 to 15. Checks get the upper ones only, so
// that a rush of people who look never holds up money that moves.
const (
	//mutant:replace slots = 12 => slots         = 24 TestTwelveCallsAtOnce
	slots         = 12
	firstForCheck = 7
)

// slotsPerCustomer limits the biller's slots that one customer's deliveries take
// over all processes, so that many slow payments of one customer don't delay
// others'.
const slotsPerCustomer = slots / 4

// slot is the right to one call, until its lease ends.
type slot struct {
	Biller string
	Slot   int64
	Lease  int64
}

// wanted is what slots are asked for.
type wanted struct {
	biller string
	n      int // at most
	from   int // the lowest number
	// ours are leases of slots that are had already, and are taken first.
	ours  []int64
	lease time.Duration
}

// openSlots makes a biller's slots where they are not there yet.
func (ps *Payments) openSlots(ctx context.Context, biller string) error {
	generation := ps.DB.Generation()
	if known, _ := ps.slotted.Load(biller); known == generation {
		return nil
	}
	err := ps.DB.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if err := insertSlots(tx, biller); err != nil {
			return err
		}
		//mutant:replace tx.WaitAsWriter() => nil TestSlotsAreMadeAgainBehindAFailover
		return tx.WaitAsWriter() // where they were there: they are relied on
	})
	if err != nil {
		return fault.Wrap("payment.slots", err)
	}
	ps.slotted.Store(biller, generation)
	return nil
}

func (ps *Payments) slotForCheck(ctx context.Context, who catalog.Biller) (slot, bool) {
	if err := ps.openSlots(ctx, who.Code); err != nil {
		return slot{}, false
	}
	var taken []slot
	err := ps.DB.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		taken, err = takeSlots(tx, wanted{biller: who.Code, n: 1, from: firstForCheck, lease: 2 * ps.Timing.Check})
		return err
	})
	if err != nil || len(taken) == 0 {
		return slot{}, false
	}
	return taken[0], true
}

func (ps *Payments) freeSlot(s slot) {
	err := ps.DB.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		return freeSlots(tx, []slot{s})
	})
	if err != nil { // its lease ends by itself
		slog.Warn("payment: free a slot", "biller", s.Biller, "error", err)
	}
}
