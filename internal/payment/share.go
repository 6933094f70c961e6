package payment

import (
	"context"
	"time"

	"elsom/internal/billerslot"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/outbox"
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
func (d *deliverer) acquireFairly(ctx context.Context, tx *database.Tx, b catalog.Biller, n int) ([]outbox.LeasedMessage, error) {
	share := fairShare{per: slotsPerCustomer}
	locked := false
	for range maxRounds {
		messages, err := outbox.Acquire(ctx, tx, Queue(b.Code), n-len(share.chosen), leaseTime(b))
		if err != nil || len(messages) == 0 {
			return share.chosen, err
		}
		customers, err := customersOf(messages)
		if err != nil {
			return nil, err
		}
		if !locked {
			// Other processes acquire at the same time. Most customers have one
			// delivery; only for more are the acquisitions serialized.
			if share.inFlight, err = leasedByCustomer(ctx, tx, b); err != nil {
				return nil, err
			}
			if locked = share.contended(); locked {
				if err := billerslot.LockShares(tx, b.Code); err != nil {
					return nil, err
				}
				if share.inFlight, err = leasedByCustomer(ctx, tx, b); err != nil {
					return nil, err
				}
			}
			share.uncount(customers) // those of this round are counted below
		}
		over := share.choose(messages, customers)
		if err := outbox.Postpone(ctx, tx, d.postponed(tx, share, over)...); err != nil {
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
	chosen    []outbox.LeasedMessage
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

func (s *fairShare) uncount(customers []int64) {
	for _, c := range customers {
		s.inFlight[c]--
	}
}

// choose adds the deliveries of customers below their share to chosen and returns
// the others.
func (s *fairShare) choose(messages []outbox.LeasedMessage, customers []int64) (over []overShare) {
	for i, m := range messages {
		c := customers[i]
		//mutant:drop TestOneCustomerLeavesSlotsToOthers
		if c != 0 && s.inFlight[c] >= s.per {
			if s.postponed == nil {
				s.postponed = map[int64]int{}
			}
			over = append(over, overShare{m, s.postponed[c]})
			s.postponed[c]++
			continue
		}
		s.inFlight[c]++
		s.chosen = append(s.chosen, m)
	}
	return over
}

// overShare is a delivery above its customer's share, and the number of the
// customer's deliveries that were postponed before it.
type overShare struct {
	message outbox.LeasedMessage
	before  int
}

// Bounds of the time by which a delivery above its customer's share is postponed.
const (
	minPostponement = 50 * time.Millisecond
	maxPostponement = 30 * time.Second
)

// postponed returns when deliveries are due again: about when earlier ones of the
// same customer have ended, estimated from the average duration of calls.
func (d *deliverer) postponed(tx *database.Tx, share fairShare, over []overShare) []outbox.Postponement {
	step := min(max(d.pool.MeanDuration(), minPostponement), 2*time.Second)
	later := make([]outbox.Postponement, len(over))
	for i, e := range over {
		wait := min(time.Duration(1+e.before/share.per)*step, maxPostponement)
		later[i] = outbox.Postponement{Message: e.message, At: tx.Now().Add(wait)}
	}
	return later
}

// leasedByCustomer counts a biller's leased deliveries by customer.
func leasedByCustomer(ctx context.Context, tx *database.Tx, b catalog.Biller) (map[int64]int, error) {
	messages, err := outbox.ListLeased(ctx, tx, Queue(b.Code), leaseTime(b))
	if err != nil {
		return nil, err
	}
	customers, err := customersOf(messages)
	if err != nil {
		return nil, err
	}
	count := map[int64]int{}
	for _, c := range customers {
		if c != 0 {
			count[c]++
		}
	}
	return count, nil
}

func customersOf(messages []outbox.LeasedMessage) ([]int64, error) {
	list := make([]int64, len(messages))
	for i, m := range messages {
		var what delivery
		if err := m.Read(&what); err != nil {
			return nil, err
		}
		list[i] = what.Customer
	}
	return list, nil
}
