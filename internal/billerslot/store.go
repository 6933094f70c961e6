package billerslot

import (
	"strings"
	"time"

	"elsom/internal/database"
)

// shareSlot is the number of the row that LockShares locks. It is not a slot.
const shareSlot = 0

// insertSlots inserts a biller's slots and its shareSlot where they are missing.
func insertSlots(tx *database.Tx, biller string) error {
	values := make([]any, 0, 3*(Size+1))
	for n := range Size + 1 {
		values = append(values, biller, shareSlot+n, longAgo)
	}
	return tx.Gorm().Exec("INSERT INTO biller_slots (biller, slot, until) VALUES (?,?,?)"+
		strings.Repeat(",(?,?,?)", Size)+" ON CONFLICT (biller, slot) DO NOTHING", values...).Error
}

// LockShares serializes the transactions of all processes that divide a biller's
// slots among customers, until tx ends. SQLite has a single writer and needs no
// lock.
func LockShares(tx *database.Tx, biller string) error {
	if tx.Dialect() != database.Postgres {
		return nil
	}
	//mutant:replace +tx.ForUpdate() => ./internal/payment TestAcquisitionsAreSerialized
	return tx.Gorm().Exec("SELECT 1 FROM biller_slots WHERE biller = ? AND slot = ?"+tx.ForUpdate(), biller, shareSlot).Error
}

// request asks for leases of a biller's slots.
type request struct {
	biller   string
	count    int     // at most
	from     int     // the lowest slot number
	renew    []int64 // ids of own leases, which are renewed first
	duration time.Duration
}

// acquire renews own leases and leases free slots. Slots locked by another
// transaction are skipped.
func acquire(tx *database.Tx, r request) ([]Lease, error) {
	if r.renew == nil {
		r.renew = []int64{} // nil would be NULL: neither equal nor unequal to anything
	}
	var leases []Lease
	now := tx.Now()
	among, ids := database.InList(tx.Dialect(), r.renew)
	// MATERIALIZED, so that LIMIT is applied once; see outbox.Acquire.
	//mutant:replace until <= ? => COALESCE(?, until) IS NOT NULL ./internal/payment TestTwelveCallsAtOnce
	err := tx.Gorm().Raw(`WITH picked AS MATERIALIZED (SELECT slot FROM biller_slots
			WHERE biller = ? AND slot >= ? AND (until <= ? OR lease `+among+`)
			ORDER BY CASE WHEN lease `+among+` THEN 0 ELSE 1 END, slot LIMIT ?`+tx.ForUpdateSkipLocked()+`)
		UPDATE biller_slots SET lease = ?, until = ? WHERE biller = ? AND slot IN (SELECT slot FROM picked)
		RETURNING biller, slot, lease AS id`,
		r.biller, r.from, now, ids, ids, r.count, tx.NewID(), database.StoredTime(now.Add(r.duration)), r.biller).Scan(&leases).Error
	return leases, err
}

// longAgo is the expiry of free slots: in the past even after a clock was set back.
var longAgo = database.StoredTime(time.Unix(0, 0))

func release(tx *database.Tx, leases []Lease) error {
	billers, slots, ids := make([]string, len(leases)), make([]int64, len(leases)), make([]int64, len(leases))
	for i, l := range leases {
		billers[i], slots[i], ids[i] = l.Biller, l.Slot, l.ID
	}
	v, args := tx.Values(database.NewColumn("biller", "text", billers), database.NewColumn("slot", "bigint", slots), database.NewColumn("lease", "bigint", ids))
	//mutant:replace longAgo => tx.Now() ./internal/payment TestClockSetBackDoesNotStopDeliveries
	return tx.Gorm().Exec("WITH v(biller, slot, lease) AS ("+v+") UPDATE biller_slots SET until = ?"+
		" FROM v WHERE biller_slots.biller = v.biller AND biller_slots.slot = v.slot AND biller_slots.lease = v.lease",
		append(args, longAgo)...).Error
}
