package page

import (
	"time"

	"elsom/templates/component"
	"elsom/templates/layout"
)

// PINState is the state of a wallet's PIN.
type PINState string

// The states of a PIN.
const (
	// NoPIN means that no PIN is set.
	NoPIN PINState = "none"
	// IssuedPIN was sent by SMS and should be changed.
	IssuedPIN PINState = "issued"
	// ExpiredPIN was sent by SMS and not used in time. It can't be changed; a new one
	// comes by *900# or from staff.
	ExpiredPIN PINState = "expired"
	// UsedPIN was sent by SMS and has confirmed one operation, the only one that such a
	// PIN may. It is refused for any other and has to be changed.
	UsedPIN PINState = "used"
	// OwnPIN was set by the customer.
	OwnPIN PINState = "own"
	// LockedPIN is locked after wrong attempts; the customer can unlock it.
	LockedPIN PINState = "locked"
	// ClosedPIN is locked after wrong attempts, and the customer can't unlock it; staff
	// can. The password was set by SMS, so it proves no more than the SMS code does.
	ClosedPIN PINState = "closed"
)

// PINPage is `/settings/pin`. Posts pin and old_pin, or pin and password if there is
// no PIN; a locked one posts password to `/settings/pin/unlock`. An expired one and one
// that only staff can unlock have no form.
type PINPage struct {
	layout.Frame
	// Wallet is the customer's number in readable form.
	Wallet string
	State  PINState
	// Until is when the lock of LockedPIN or ClosedPIN ends by itself, or when IssuedPIN
	// expires; zero: never.
	Until                 time.Time
	OldPIN, PIN, Password component.Input
}

// UnlockPage is `/settings/pin/unlock`, which asks for the SMS code that unlocks the
// PIN. Posts code to `/settings/pin/code`; a second form posts no fields to
// `/settings/pin/resend`.
type UnlockPage struct {
	layout.Frame
	Wallet string
	Code   component.Input
}
