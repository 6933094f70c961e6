package customer

import (
	"time"

	"elsom/internal/fault"
)

// SessionEnded is the reason of a refusal because the session of the request has ended, or
// is another one than the request began with.
const SessionEnded fault.Reason = "payment.session_ended"

// SessionRow is a row of sessions as a request read and verified it; see web/session.
type SessionRow struct {
	// Handle is the row's number; 0: the request has no session, as on *900#.
	Handle     int64
	ID         string // the hash of its token
	CustomerID int64
	Epoch      int64
	Browser    string
	Known      bool
	EndsAt     int64 // in microseconds
	MAC        string
}

// Status has customers and sessions as ReadStatus found them in its transaction.
type Status struct {
	customers map[int64]Customer
	sessions  map[int64]sessionNow // by handle
}

type sessionNow struct {
	row            SessionRow
	endsAt, seenAt time.Time
}

// Of returns a customer as now, with only ID, Blocked, BlockedOut, SessionEpoch, HoldUntil,
// Lang and Level set.
func (s Status) Of(id int64) Customer { return s.customers[id] }

// SignedIn reports whether what a request knows of its customer is still so: the session
// is there as it was read and has not ended, and neither all sessions were ended nor the
// level, its signature or the language changed since. A request without a session is only
// compared by the epoch.
func (s Status) SignedIn(c Customer, at time.Time) bool {
	now := s.customers[c.ID]
	//mutant:replace now.SessionEpoch != c.SessionEpoch => false ./internal/payment TestAcceptSeesChangesSinceTheRequest
	if now.SessionEpoch != c.SessionEpoch {
		return false
	}
	read := c.Browser.Row
	if read.Handle == 0 {
		return true
	}
	session := s.sessions[read.Handle]
	//mutant:replace session.row != read => session.row.Handle != read.Handle TestSignedIn
	//mutant:replace session.row != read || => ./internal/e2e TestSessionEndedAtAnotherPortalPaysNothing
	//mutant:replace || at.After(session.endsAt) => TestSignedIn
	//mutant:replace || at.Sub(session.seenAt) > c.Browser.Idle => TestSignedIn
	if session.row != read || at.After(session.endsAt) || at.Sub(session.seenAt) > c.Browser.Idle {
		return false
	}
	//mutant:replace now.Level == c.Level && => TestSignedIn
	//mutant:replace && now.mac == c.mac && now.keyID == c.keyID => TestSignedIn
	//mutant:replace && now.Lang == c.Lang => TestSignedIn
	return now.Level == c.Level && now.mac == c.mac && now.keyID == c.keyID && now.Lang == c.Lang
}
