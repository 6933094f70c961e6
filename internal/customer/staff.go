package customer

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/operatorlog"
	"elsom/internal/phone"
)

// StaffAction is the member of staff who acts on a customer, and the reason. Both
// are stored with the action.
type StaffAction struct{ Staff, Reason string }

const reasonMax = 300

// check returns the action as it is stored. The error is fault.Invalid: its cause says
// what is wrong with the name, for the operator.
func (w StaffAction) check(op string) (StaffAction, error) {
	w.Reason = input.Name(w.Reason)
	//mutant:replace w.Reason == "" || => TestStaffActionsAreStored
	if w.Reason == "" || utf8.RuneCountInString(w.Reason) > reasonMax || !utf8.ValidString(w.Reason) {
		return w, fault.New(fault.Invalid, op, "customer.staff_invalid")
	}
	name, err := input.StaffName(w.Staff)
	if err != nil {
		return w, fault.New(fault.Invalid, op, "").Because(err)
	}
	w.Staff = strings.ToLower(name)
	return w, nil
}

// Staff is what members of staff do to customers without the server's keys: it sends
// no PINs or codes and checks none.
type Staff struct{ desk }

// NewStaff returns the operations of staff on db; levels are the catalog's.
func NewStaff(db *database.DB, levels Levels) *Staff { return &Staff{desk{db, levels}} }

// desk has the operations of staff that need no key.
type desk struct {
	db     *database.DB
	levels Levels
}

// Profile is what staff see of a customer. It has personal data: mask what is not
// needed.
type Profile struct {
	Customer
	INN string
	PIN PINState
}

// ProfileByPhone returns the customer with a number, or fault.NotFound. For a number
// whose last wallet was closed, the cause says when.
func (d desk) ProfileByPhone(ctx context.Context, number phone.Number) (Profile, error) {
	const op = "customer.profile"
	r, err := findByPhone(ctx, d.db, number)
	if err != nil {
		return Profile{}, fault.Wrap(op, err)
	}
	if r == nil {
		closed, err := readClosed(ctx, d.db, number.String())
		switch {
		case err != nil:
			return Profile{}, fault.Wrap(op, err)
		case closed != nil:
			return Profile{}, fault.New(fault.NotFound, op, "").Because(fmt.Errorf("the wallet of this number was closed on %s", closed.ClosedAt.In(Bishkek).Format(time.RFC3339)))
		}
		return Profile{}, fault.New(fault.NotFound, op, "")
	}
	row, found, err := readPIN(ctx, d.db, r.ID)
	if err != nil {
		return Profile{}, fault.Wrap(op, err)
	}
	profile := Profile{Customer: r.Customer(), INN: r.INN}
	if found {
		profile.PIN = row.state(d.db.Now())
	}
	return profile, nil
}

// RecordReveal stores that a member of staff saw a customer's personal data unmasked,
// before they are shown. Errors: Invalid.
func (d desk) RecordReveal(ctx context.Context, id int64, by StaffAction) error {
	_, err := d.act(ctx, "customer.reveal", id, by, func(*database.Tx, *Record) (*act, error) { return &act{"reveal", nil, nil}, nil })
	return err
}

// UnlockPIN resets attempts and locks of a customer's PIN; the PIN stays.
//
// Errors: Invalid; NotFound "customer.no_pin".
func (d desk) UnlockPIN(ctx context.Context, id int64, by StaffAction) error {
	const op = "customer.pin.unlock"
	_, err := d.act(ctx, op, id, by, func(tx *database.Tx, _ *Record) (*act, error) {
		there, err := resetTries(tx, id, true)
		if err == nil && !there {
			err = noPIN(op)
		}
		return &act{"unlock", nil, map[string]any{"pin": "open"}}, err
	})
	return err
}

// BlockKind is what a block stops.
type BlockKind string

// The kinds of blocks. BlockAll stops logging in and everything else, and ends all
// sessions; terminals get result 79. BlockOut stops only what takes money out.
const (
	BlockAll BlockKind = "all"
	BlockOut BlockKind = "out"
)

// Block blocks a customer. changed is false if the block is in force already. A
// payment that was accepted before ends as usual.
//
// Errors: Invalid, also for an unknown kind; NotFound.
func (d desk) Block(ctx context.Context, id int64, kind BlockKind, by StaffAction) (changed bool, err error) {
	const op = "customer.block"
	if kind != BlockAll && kind != BlockOut {
		return false, fault.New(fault.Invalid, op, "").Because(fmt.Errorf("%q is no kind of block", kind))
	}
	return d.setBlocks(ctx, op, "block "+string(kind), id, by, func(b blocks) blocks {
		return blocks{All: b.All || kind == BlockAll, Out: b.Out || kind == BlockOut}
	})
}

// Unblock ends the blocks of both kinds; sessions stay ended. changed is false if
// there is none.
//
// Errors: Invalid; NotFound.
func (d desk) Unblock(ctx context.Context, id int64, by StaffAction) (changed bool, err error) {
	return d.setBlocks(ctx, "customer.unblock", "unblock", id, by, func(blocks) blocks { return blocks{} })
}

// blocks are a customer's blocks as the operator log has them.
type blocks struct {
	All bool `json:"blocked"`
	Out bool `json:"blocked_out"`
}

func (d desk) setBlocks(ctx context.Context, op, name string, id int64, by StaffAction, change func(blocks) blocks) (bool, error) {
	return d.act(ctx, op, id, by, func(tx *database.Tx, r *Record) (*act, error) {
		before := blocks{r.Blocked, r.BlockedOut}
		after := change(before)
		if after == before {
			return nil, nil
		}
		return &act{name, before, after}, changeSigned(ctx, tx, r, func() error { return storeBlocks(tx, id, after, after.All && !before.All) })
	})
}

// SetLevel gives a customer another identification level and returns the former one.
// Operations that began earlier may still be judged by that one. Nothing is stored for
// a customer who has the level already.
//
// Errors: Invalid; Invalid "customer.level_unknown" at level for one that the catalog
// doesn't offer; NotFound.
func (d desk) SetLevel(ctx context.Context, id int64, level string, by StaffAction) (before string, err error) {
	const op = "customer.level"
	if by, err = by.check(op); err != nil {
		return "", err
	}
	known, err := d.levels.Assignable(ctx, level)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	//mutant:drop TestSetLevel
	if !known {
		return "", fault.New(fault.Invalid, op, "customer.level_unknown").At("level")
	}
	_, err = d.act(ctx, op, id, by, func(tx *database.Tx, r *Record) (*act, error) {
		before = r.Level
		if before == level {
			return nil, nil
		}
		return &act{"level", map[string]any{"level": before}, map[string]any{"level": level}},
			changeSigned(ctx, tx, r, func() error { return storeLevel(tx, id, level) })
	})
	return before, err
}

// EndSessions ends all sessions of a customer.
//
// Errors: Invalid; NotFound.
func (d desk) EndSessions(ctx context.Context, id int64, by StaffAction) error {
	_, err := d.act(ctx, "customer.sessions", id, by, func(tx *database.Tx, _ *Record) (*act, error) {
		//mutant:replace endSessions(tx, id) => nil TestBlocks
		return &act{"sessions end", nil, map[string]any{"sessions": "ended"}}, endSessions(tx, id)
	})
	return err
}

// act is an action of staff on a customer, with the state before and after.
type act struct {
	name          string
	before, after any
}

// act runs an action in a transaction that locks the customer, and stores it. do
// returns nil if nothing changes. A closed customer is NotFound.
func (d desk) act(ctx context.Context, op string, id int64, by StaffAction, do func(tx *database.Tx, r *Record) (*act, error)) (changed bool, err error) {
	if by, err = by.check(op); err != nil {
		return false, err
	}
	err = d.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		changed = false
		r, err := lockRecord(tx, id)
		if err != nil {
			return err
		}
		//mutant:replace || r.ClosedAt != nil => TestSetLevel
		if r == nil || r.ClosedAt != nil {
			return fault.New(fault.NotFound, op, "")
		}
		done, err := do(tx, r)
		if err != nil || done == nil {
			return err
		}
		changed = true
		//mutant:replace storeAct(ctx, tx, id, by, *done) => nil TestStaffActionsAreStored
		return storeAct(ctx, tx, id, by, *done)
	})
	return changed && err == nil, fault.Wrap(op, err)
}

// storeAct stores an action of staff in its transaction.
func storeAct(ctx context.Context, tx *database.Tx, id int64, by StaffAction, done act) error {
	if err := insertStaffAct(tx, id, done.name, by); err != nil {
		return err
	}
	return operatorlog.Record(ctx, tx, operatorlog.Change{Subject: fmt.Sprintf("customer %d", id), Before: done.before, After: done.after})
}

// IssuePIN replaces a forgotten PIN by a new one and sends it by SMS, for staff. It
// confirms one operation, as a first PIN does.
//
// Errors: Invalid "customer.staff_invalid"; NotFound "customer.no_pin"; Conflict
// "customer.pin_changed_elsewhere"; Unavailable.
func (cs *Customers) IssuePIN(ctx context.Context, id int64, by StaffAction) error {
	const op = "customer.pin.issue"
	by, err := by.check(op)
	if err != nil {
		return err
	}
	row, err := cs.mustReadPIN(ctx, op, id)
	if err != nil {
		return err
	}
	return cs.sendPIN(ctx, op, id, func(ctx context.Context, tx *database.Tx, hash string) error {
		replaced, err := replacePIN(tx, row, hash, cs.peppers[0].id, true, cs.o.Now())
		if err == nil && !replaced {
			err = fault.New(fault.Conflict, op, "customer.pin_changed_elsewhere")
		}
		if err != nil {
			return err
		}
		//mutant:replace storeAct(ctx, tx, id, by, act{"pin", nil, map[string]any{"pin": "sent"}}) => nil TestStaffActionsAreStored
		return storeAct(ctx, tx, id, by, act{"pin", nil, map[string]any{"pin": "sent"}})
	})
}
