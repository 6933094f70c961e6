package page

import (
	"time"

	"elsom/templates/component"
	"elsom/templates/layout"
)

// PINState is how a wallet's PIN stands.
type PINState string

// The states of the PIN's page.
const (
	// NoPIN: there is none, a first one can be set.
	NoPIN PINState = "none"
	// IssuedPIN: it came by SMS and should be changed.
	IssuedPIN PINState = "issued"
	// UsedPIN: it came by SMS, has confirmed its one thing, and opens only its
	// own change.
	UsedPIN PINState = "used"
	// OwnPIN: the holder set it.
	OwnPIN PINState = "own"
	// LockedPIN: too many wrong ones; the holder can open it.
	LockedPIN PINState = "locked"
	// ClosedPIN: too many wrong ones; only staff, or time, can open it.
	ClosedPIN PINState = "closed"
)

// PINPage is `/settings/pin`. Posts pin, and old_pin where there is one, else
// password; the locked one posts password to `/settings/pin/unlock`.
type PINPage struct {
	layout.Frame
	Wallet string
	State  PINState
	// Until is when a locked PIN opens by itself.
	Until                 time.Time
	OldPIN, PIN, Password component.Input
}

// UnlockPage is `/settings/pin/unlock`: the SMS code that gives the PIN's tries
// back. Posts code to `/settings/pin/code`, and nothing to `/settings/pin/resend`.
type UnlockPage struct {
	layout.Frame
	Wallet string
	Code   component.Input
}
