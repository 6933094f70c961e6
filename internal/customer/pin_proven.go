package customer

import (
	"context"
	"strconv"

	"elsom/internal/fault"
)

// ProvePIN tries a PIN that is about to be changed, as CheckPIN does, and gives
// a proof that it was right. The proof is of the PIN that is set now: after any
// change it proves nothing. It tells nothing of the PIN, so that a dialogue
// may keep it where it keeps no PIN.
func (cs *Customers) ProvePIN(ctx context.Context, id int64, pin string) (proof string, err error) {
	row, err := cs.verifyPIN(ctx, "customer.pin.prove", id, pin, pinPurpose{use: ForChange})
	if err != nil {
		return "", err
	}
	return cs.proof(row), nil
}

func (cs *Customers) proof(row *pinRow) string {
	return cs.hash("pin proof", strconv.FormatInt(row.CustomerID, 10), row.PINHash)
}

// ChangeProvenPIN is ChangePIN for who has proved the old one. Asked again with
// the same PIN, it has been done.
//
// Faults: those of JudgePIN at pin, and Invalid "customer.pin_same" there;
// Conflict "customer.pin_changed_elsewhere" where the proof is of no use any
// more; TooMany; Unavailable.
func (cs *Customers) ChangeProvenPIN(ctx context.Context, id int64, proof, pin string) error {
	const act = "customer.pin.change"
	holder, pin, err := cs.checkNewPIN(ctx, act, id, pin)
	if err != nil {
		return err
	}
	row, err := cs.mustReadPIN(ctx, act, id)
	if err != nil {
		return err
	}
	if cs.proof(row) != proof {
		// Done already, where the answer was lost; that is a try like any other.
		if cs.CheckPIN(ctx, id, pin, ForChange, "") == nil {
			return nil
		}
		return fault.New(fault.Conflict, act, "customer.pin_changed_elsewhere")
	}
	same, _, err := cs.hasher.Match(ctx, cs.peppered(id, pin), row.PINHash)
	if err != nil {
		return err
	}
	if same {
		return fault.New(fault.Invalid, act, "customer.pin_same").At("pin")
	}
	return cs.replaceWithOwnPIN(ctx, act, holder, row, pin)
}
