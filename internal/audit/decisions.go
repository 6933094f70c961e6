package audit

import (
	"errors"
	"fmt"

	"elsom/internal/database"
	"elsom/internal/input"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

const (
	// refundsPage is the number of decided refunds that are read at once.
	refundsPage = 500
	// maxDecisions is the number of decisions about one payment that are looked at.
	maxDecisions = 100
)

// checkDecisions requires for every refund that staff decided the decisions of two
// different people. With keys a decision counts if it is as it was signed.
func (r *Result) checkDecisions(tx *database.Tx, w *window, keys *signature.Keys) error {
	check := len(r.Checks)
	r.Checks = append(r.Checks, Check{Invariant: payments, Proves: "every decided refund was decided by two different people"})
	allowed, err := tx.UnsignedAllowed()
	if err != nil {
		return err
	}
	table, _ := origin.Of(signature.Decision)
	counts := func(d decisionRow) (bool, error) {
		if keys == nil || allowed && d.ID == 0 {
			return true, nil
		}
		rows, err := table.Read(tx, d.ID-1, d.ID+1, 1)
		if err != nil || len(rows) == 0 {
			return false, err
		}
		err = keys.Verify(rows[0].Record, rows[0].MAC, rows[0].KeyID)
		return err == nil || allowed && errors.Is(err, signature.ErrUnsigned), nil
	}
	for after := int64(-1); ; {
		ids, err := readDecidedRefunds(tx, w, after, refundsPage)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			two, err := decidedByTwo(tx, id, counts)
			if err != nil {
				return err
			}
			//mutant:drop TestViolationsAreFound/a_refund_decided_by_one
			if !two {
				r.found(check, fmt.Sprintf("%s: payment %d was refunded without the decisions of two different people", payments, id))
			}
		}
		after = ids[len(ids)-1]
	}
}

// decidedByTwo reports whether two different people decided to refund a payment, by the
// decisions that count.
func decidedByTwo(tx *database.Tx, payment int64, counts func(decisionRow) (bool, error)) (bool, error) {
	decisions, err := readDecisions(tx, payment, maxDecisions)
	if err != nil {
		return false, err
	}
	first := ""
	for _, d := range decisions {
		ok, err := counts(d)
		switch {
		case err != nil:
			return false, err
		//mutant:drop TestDecidedByTwo
		case !ok:
		case first == "":
			first = d.Staff
		//mutant:replace !input.SamePerson(first, d.Staff) => true TestDecidedByTwo
		case !input.SamePerson(first, d.Staff):
			return true, nil
		}
	}
	return false, nil
}
