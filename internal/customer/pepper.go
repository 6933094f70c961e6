package customer

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"

	"elsom/internal/fault"
	"elsom/internal/keyedhash"
)

// pepperKey is a pepper of PINs with the id that is stored with each PIN.
type pepperKey struct {
	key keyedhash.Key
	id  string
}

// peppersOf returns the peppers of the options, the one in use first.
func peppersOf(o Options) []pepperKey {
	peppers := []pepperKey{{keyedhash.New(o.PINPepper), pepperID(o.PINPepper)}}
	if len(o.PreviousPepper) > 0 {
		peppers = append(peppers, pepperKey{keyedhash.New(o.PreviousPepper), pepperID(o.PreviousPepper)})
	}
	return peppers
}

// pepperID returns eight hexadecimal digits that identify a pepper and don't reveal
// it.
func pepperID(key []byte) string { return keyedhash.New(key).Hex("elsom pepper id")[:8] }

// peppered returns the input of the slow hash of a PIN: a keyed hash under the
// pepper, which is not in the database. A slow hash alone does not protect one of
// ten thousand values.
func (p pepperKey) peppered(id int64, pin string) string {
	//mutant:replace p.key.Hex => keyedhash.New(nil).Hex TestPINIsPeppered
	return p.key.Hex(string(binary.BigEndian.AppendUint64(nil, uint64(id))) + pin)
}

func (cs *Customers) hashPIN(ctx context.Context, id int64, pin string) (string, error) {
	return cs.hasher.Hash(ctx, cs.peppers[0].peppered(id, pin))
}

var errNoPepper = errors.New("a PIN hashed with a pepper that is not configured; set ELSOM_PIN_PEPPER_PREVIOUS")

// renewal is what is to be stored anew after a PIN that was right.
type renewal int

const (
	renewNothing renewal = iota
	renewID              // the id of the pepper
	renewHash            // the hash, with the pepper and the parameters in use
)

// matchPIN compares a PIN with a row. A row of an earlier release doesn't say which
// pepper it was hashed with, so each is tried.
func (cs *Customers) matchPIN(ctx context.Context, row *pinRow, pin string) (right bool, renew renewal, err error) {
	tried := false
	for i, p := range cs.peppers {
		if row.PepperID != "" && row.PepperID != p.id {
			continue
		}
		tried = true
		right, weak, err := cs.hasher.Match(ctx, p.peppered(row.CustomerID, pin), row.PINHash)
		switch {
		case err != nil:
			return false, renewNothing, err
		//mutant:replace i > 0 => i < 0 TestPINIsHashedAnew
		case right && (weak || i > 0):
			return true, renewHash, nil
		case right && row.PepperID == "":
			return true, renewID, nil
		case right:
			return true, renewNothing, nil
		}
	}
	if !tried {
		return false, renewNothing, fault.New(fault.Internal, "customer.pin.match", "").Because(errNoPepper)
	}
	return false, renewNothing, nil
}

// renewPIN stores a PIN that was right anew. It may fail: what is stored is still
// accepted, and the next entry of the PIN tries again.
func (cs *Customers) renewPIN(ctx context.Context, row *pinRow, pin string, renew renewal) {
	if renew == renewNothing {
		return
	}
	ctx = context.WithoutCancel(ctx)
	fresh, err := row.PINHash, error(nil)
	if renew == renewHash {
		fresh, err = cs.hashPIN(ctx, row.CustomerID, pin)
	}
	if err == nil {
		err = cs.rehashPIN(ctx, row, fresh, cs.peppers[0].id)
	}
	if err != nil {
		slog.WarnContext(ctx, "customer: renewing the hash of a PIN failed", "customer", row.CustomerID, "error", err)
	}
}

// StalePINs returns how many PINs are not hashed with the pepper in use: those that
// were not entered since it replaced another one.
func (cs *Customers) StalePINs(ctx context.Context) (int64, error) {
	n, err := cs.countPINsOfOther(ctx, cs.peppers[0].id)
	return n, fault.Wrap("customer.pin.stale", err)
}
