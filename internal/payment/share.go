package payment

import (
	"time"

	"elsom/internal/billerslot"
	"elsom/internal/catalog"
	"elsom/internal/database"
)

// slotsPerCustomer limits the slots of a biller that one customer's deliveries use
// over all processes, so that many slow payments of one customer don't delay those
// of others.
const slotsPerCustomer = billerslot.Size / 4

// maxRounds limits how often one acquisition skips deliveries of customers that
// have reached their share.
const maxRounds = 20

// acquireFairly leases up to n deliveries, but at most slotsPerCustomer of one
// customer over all processes (or one per process, if more processes than that
// acquire a customer's first deliveries at once). Deliveries above the share are
// postponed briefly, so that the ones behind them are found.
func (d *deliverer) acquireFairly(tx *database.Tx, b catalog.Biller, n int) ([]leased, error) {
	share := fairShare{per: slotsPerCustomer}
	locked := false
	for range maxRounds {
		acquired, err := acquireDue(tx, b.Code, n-len(share.chosen), leaseTime(b))
		if err != nil || len(acquired) == 0 {
			return share.chosen, err
		}
		if !locked {
			// Other processes acquire at the same time. Most customers have one
			// delivery; only for more are the acquisitions serialized.
			if share.inFlight, err = countLeased(tx, b.Code); err != nil {
				return nil, err
			}
			if locked = share.contended(); locked {
				if err := billerslot.LockShares(tx, b.Code); err != nil {
					return nil, err
				}
				if share.inFlight, err = countLeased(tx, b.Code); err != nil {
					return nil, err
				}
			}
			share.uncount(acquired) // those of this round are counted below
		}
		over := share.choose(acquired)
		if err := postpone(tx, d.postponed(tx, share, over)); err != nil {
			return nil, err
		}
		if len(share.chosen) >= n {
			return share.chosen, nil
		}
	}
	d.notifier.Notify(Queue(d.code)) // further deliveries may be due
	return share.chosen, nil
}

// fairShare chooses deliveries so that no customer has more than its share.
type fairShare struct {
	per       int           // deliveries of a customer at once
	inFlight  map[int64]int // by customer, over all processes
	postponed map[int64]int // by customer, in this acquisition
	chosen    []leased
}

// contended reports whether a customer has more than one delivery in flight.
func (s *fairShare) contended() bool {
	for _, n := range s.inFlight {
		if n > 1 {
			return true
		}
	}
	return false
}

func (s *fairShare) uncount(acquired []leased) {
	for _, p := range acquired {
		s.inFlight[p.CustomerID]--
	}
}

// choose adds the deliveries of customers below their share to chosen and returns
// the others.
func (s *fairShare) choose(acquired []leased) (over []overShare) {
	for _, p := range acquired {
		c := p.CustomerID
		//mutant:drop TestOneCustomerLeavesSlotsToOthers
		if s.inFlight[c] >= s.per {
			if s.postponed == nil {
				s.postponed = map[int64]int{}
			}
			over = append(over, overShare{p, s.postponed[c]})
			s.postponed[c]++
			continue
		}
		s.inFlight[c]++
		s.chosen = append(s.chosen, p)
	}
	return over
}

// overShare is a delivery above its customer's share, and the number of the
// customer's deliveries that were postponed before it.
type overShare struct {
	payment leased
	before  int
}

// Bounds of the time by which a delivery above its customer's share is postponed.
const (
	minPostponement = 50 * time.Millisecond
	maxPostponement = 30 * time.Second
)

// postponed returns when deliveries are due again: about when earlier ones of the
// same customer have ended, estimated from the average duration of calls.
func (d *deliverer) postponed(tx *database.Tx, share fairShare, over []overShare) []postponement {
	step := min(max(d.pool.MeanDuration(), minPostponement), 2*time.Second)
	later := make([]postponement, len(over))
	for i, e := range over {
		wait := min(time.Duration(1+e.before/share.per)*step, maxPostponement)
		later[i] = postponement{payment: e.payment, at: tx.Now().Add(wait)}
	}
	return later
}
