package payment

import (
	"context"
	"time"

	"elsom/internal/billerslot"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/outbox"
)

// slotsPerCustomer limits the biller's slots that one customer's deliveries take
// over all processes, so that many slow payments of one customer don't delay
// others'.
const slotsPerCustomer = billerslot.Size / 4

// fairRounds limits how often one claim skips deliveries of customers that have
// reached their share.
const fairRounds = 20

// claimFairly claims up to n deliveries, but at most slotsPerCustomer of one
// customer over all processes (or one for each process, if more processes than
// that claim a customer's first at the same moment). Deliveries above the share
// are postponed briefly, so that those behind them are found.
func (d *deliverer) claimFairly(ctx context.Context, tx *database.Tx, who catalog.Biller, n int) ([]outbox.LeasedMessage, error) {
	share := fairShare{per: slotsPerCustomer}
	locked := false
	for range fairRounds {
		tasks, err := outbox.Acquire(ctx, tx, Lane(who.Code), n-len(share.chosen), leaseOf(who))
		if err != nil || len(tasks) == 0 {
			return share.chosen, err
		}
		customers, err := customersOf(tasks)
		if err != nil {
			return nil, err
		}
		if !locked {
			// Claims of other processes run beside this one. A customer with one
			// delivery is the rule; only for more are the claims put in sequence.
			if share.inFlight, err = claimed(ctx, tx, who); err != nil {
				return nil, err
			}
			if locked = share.crowded(); locked {
				if err := billerslot.LockShares(tx, who.Code); err != nil {
					return nil, err
				}
				if share.inFlight, err = claimed(ctx, tx, who); err != nil {
					return nil, err
				}
			}
			share.forget(customers) // those of this round are counted below
		}
		over := share.take(tasks, customers)
		if err := outbox.Postpone(ctx, tx, d.putOff(tx, share, over)...); err != nil {
			return nil, err
		}
		if len(share.chosen) >= n {
			return share.chosen, nil
		}
	}
	d.notifier.Notify(Lane(d.code)) // there may be more behind
	return share.chosen, nil
}

// fairShare shares out deliveries among customers.
type fairShare struct {
	per      int           // deliveries of a customer at once
	inFlight map[int64]int // by customer, over all processes
	putOff   map[int64]int // by customer, by this claim
	chosen   []outbox.LeasedMessage
}

// crowded reports whether a customer has more than one delivery in flight.
func (s *fairShare) crowded() bool {
	for _, n := range s.inFlight {
		if n > 1 {
			return true
		}
	}
	return false
}

func (s *fairShare) forget(customers []int64) {
	for _, c := range customers {
		s.inFlight[c]--
	}
}

// take chooses the deliveries of customers below their share and returns the
// others.
func (s *fairShare) take(tasks []outbox.LeasedMessage, customers []int64) (over []excess) {
	for i, task := range tasks {
		c := customers[i]
		//mutant:drop TestOneCustomerLeavesSlotsToOthers
		if c != 0 && s.inFlight[c] >= s.per {
			if s.putOff == nil {
				s.putOff = map[int64]int{}
			}
			over = append(over, excess{task, s.putOff[c]})
			s.putOff[c]++
			continue
		}
		s.inFlight[c]++
		s.chosen = append(s.chosen, task)
	}
	return over
}

// excess is a delivery above its customer's share, and how many of the customer
// were put off before it.
type excess struct {
	task   outbox.LeasedMessage
	before int
}

// Bounds of how long a delivery above its customer's share is put off at once.
const (
	minPutOff = 50 * time.Millisecond
	maxPutOff = 30 * time.Second
)

// putOff makes deliveries due again about when their customer's share has room:
// so many calls later, by the biller's pace of late.
func (d *deliverer) putOff(tx *database.Tx, share fairShare, over []excess) []outbox.Postponement {
	step := min(max(d.pool.Pace(), minPutOff), 2*time.Second)
	later := make([]outbox.Postponement, len(over))
	for i, e := range over {
		wait := min(time.Duration(1+e.before/share.per)*step, maxPutOff)
		later[i] = outbox.Postponement{Message: e.task, At: tx.Now().Add(wait)}
	}
	return later
}

// claimed counts a biller's deliveries that are claimed now, by customer.
func claimed(ctx context.Context, tx *database.Tx, who catalog.Biller) (map[int64]int, error) {
	tasks, err := outbox.ListLeased(ctx, tx, Lane(who.Code), leaseOf(who))
	if err != nil {
		return nil, err
	}
	customers, err := customersOf(tasks)
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

func customersOf(tasks []outbox.LeasedMessage) ([]int64, error) {
	list := make([]int64, len(tasks))
	for i, task := range tasks {
		var what delivery
		if err := task.Read(&what); err != nil {
			return nil, err
		}
		list[i] = what.Customer
	}
	return list, nil
}
