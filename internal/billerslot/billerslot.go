// Package billerslot bounds the number of calls to a biller that are in progress
// at once, over all processes.
//
// Each biller has Size slots in the database. A process leases slots and makes a
// call only in a slot whose lease outlasts the call's deadline, so there are never
// more calls than slots. The leases of a process that crashed expire.
package billerslot

import (
	"context"
	"sync"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Size is the number of slots of a biller: OSMP providers serve 10 to 15 calls at
// once. Checks get the slots from firstForCheck on only, so that many customers
// filling in forms never delay payments.
const (
	//mutant:replace Size = 12 => Size          = 24 ./internal/payment TestTwelveCallsAtOnce
	Size          = 12
	firstForCheck = 7
)

// Lease is a slot leased to this process. Each renewal has a new ID.
type Lease struct {
	Biller string
	Slot   int64 // 1 … Size
	ID     int64
}

// Slots leases the slots of all billers.
type Slots struct {
	db     *database.DB
	opened sync.Map // biller → the database's generation for which its slots exist
}

// New returns the slots in db.
func New(db *database.DB) *Slots { return &Slots{db: db} }

// Open creates a biller's slots where they don't exist yet. It must be called
// before Renew and LockShares, outside their transactions.
func (s *Slots) Open(ctx context.Context, biller string) error {
	generation := s.db.Generation()
	if known, _ := s.opened.Load(biller); known == generation {
		return nil
	}
	err := s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if err := insertSlots(tx, biller); err != nil {
			return err
		}
		// Existing rows may not have reached the standby yet. A failover could
		// lose them, and they are inserted only once.
		//mutant:replace tx.WaitForStandbys() => nil ./internal/payment TestSlotsAreRecreatedAfterFailover
		return tx.WaitForStandbys()
	})
	if err != nil {
		return fault.Wrap("billerslot.open", err)
	}
	s.opened.Store(biller, generation)
	return nil
}

// AcquireForCheck leases one slot for a check. It doesn't wait: ok is false where
// none is free or the database fails.
func (s *Slots) AcquireForCheck(ctx context.Context, biller string, duration time.Duration) (lease Lease, ok bool) {
	if err := s.Open(ctx, biller); err != nil {
		return Lease{}, false
	}
	var leases []Lease
	err := s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		leases, err = acquire(tx, request{biller: biller, count: 1, from: firstForCheck, duration: duration})
		return err
	})
	if err != nil || len(leases) == 0 {
		return Lease{}, false
	}
	return leases[0], true
}

// Release frees leased slots. A lease that has been taken over by another process
// is left alone.
func (s *Slots) Release(ctx context.Context, leases ...Lease) error {
	if len(leases) == 0 {
		return nil
	}
	err := s.db.InStatement(ctx, func(tx *database.Tx) error { return release(tx, leases) })
	return fault.Wrap("billerslot.release", err)
}
