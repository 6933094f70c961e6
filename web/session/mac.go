package session

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"log/slog"
	"slices"

	"elsom/internal/customer"
	"elsom/internal/keyedhash"
	"elsom/internal/securitylog"
)

// macForm is the first byte of what a session's mac covers. It changes if that does.
const macForm = 1

// maxMACInput is the length of what a mac covers, at most.
const maxMACInput = 1 + 2*(1+64) + (1 + renewalBytes) + 4*8 + 1

// macOf returns the keyed hash of what a row decides: whose session has the token with
// the hash ID, in which browser, until when, when it was renewed, and the number by which
// other tables refer to it. Without the server's secret no row can be made that verifies.
// It doesn't cover the time of the last request, which changes often: only the end, which
// no request moves.
func macOf(key keyedhash.Key, r *row) []byte {
	text := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b := append(make([]byte, 0, maxMACInput), macForm)
	//mutant:replace text(b, r.ID) => b TestForgedSessions
	b = text(b, r.ID)
	//mutant:replace uint64(r.Handle) => 0 TestForgedSessions
	b = binary.BigEndian.AppendUint64(b, uint64(r.Handle))
	//mutant:replace uint64(*r.CustomerID) => 0 TestForgedSessions
	b = binary.BigEndian.AppendUint64(b, uint64(*r.CustomerID))
	//mutant:replace uint64(r.Epoch) => 0 TestForgedSessions
	b = binary.BigEndian.AppendUint64(b, uint64(r.Epoch))
	//mutant:replace uint64(r.EndsAt.UnixMicro()) => 0 TestForgedSessions
	b = binary.BigEndian.AppendUint64(b, uint64(r.EndsAt.UnixMicro()))
	//mutant:replace text(b, r.Browser) => b TestForgedSessions
	b = text(b, r.Browser)
	//mutant:replace text(b, string(r.renewal)) => b TestForgedSessions
	b = text(b, string(r.renewal))
	//mutant:replace if r.Known => if false TestForgedSessions
	if r.Known {
		b = append(b, 1)
	}
	return key.MAC(b)
}

// made reports whether this server made the row of a customer's session. A row that it
// didn't is logged: the database was written by hand, or the previous release runs beside
// this one, whose rows have no mac. A mac of a previous key is made anew, unless the row
// ends later than a login allows: then it was made with a stolen key, and ends with it.
func (s *Sessions) made(ctx context.Context, r *row, holder customer.Customer) bool {
	if i := s.madeWith(r); i >= 0 {
		//mutant:replace && !r.EndsAt.After(s.now().Add(Absolute)) => TestStolenSecretMakesNoLastingSession
		if i > 0 && !r.EndsAt.After(s.now().Add(Absolute)) {
			s.renewMAC(ctx, r)
		}
		return true
	}
	detail := "forged"
	if len(r.MAC) == 0 {
		detail = "unsigned"
	}
	slog.WarnContext(ctx, "session: refused a session that this server did not make", "customer", holder.ID, "why", detail)
	//mutant:drop ./web TestForgedSessionIsNone
	s.security.Record(ctx, securitylog.Entry{
		Kind: securitylog.Kind{Event: securitylog.Session, Outcome: securitylog.Refused}, Detail: detail, Number: holder.Phone, Wallet: holder.ID,
	})
	return false
}

// madeWith returns the index of the key with which a row was made; -1 if there is none.
func (s *Sessions) madeWith(r *row) int {
	//mutant:replace hmac.Equal(macOf(key, r), r.MAC) => len(macOf(key, r)) > 0 TestForgedSessions
	return slices.IndexFunc(s.macKeys, func(key keyedhash.Key) bool { return hmac.Equal(macOf(key, r), r.MAC) })
}

// renewMAC stores a mac that was made with a previous key anew, so that the session
// outlives that key. It may fail: the next request tries again.
func (s *Sessions) renewMAC(ctx context.Context, r *row) {
	before := r.MAC
	r.MAC = macOf(s.macKeys.Current(), r)
	//mutant:drop TestCookiesAreMadeAnewWithTheNextKey
	if err := s.storeMAC(ctx, r.ID, before, r.MAC); err != nil {
		slog.WarnContext(ctx, "session: a mac of the previous secret is not made anew", "error", err)
	}
}
