package session

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"elsom/internal/database"
)

// A renewal replaces the token of a customer's session after a further proof, so that a
// copy of the cookie made before doesn't get what the proof allows. The row stays, with
// its number; only its id is that of the new token.
//
// A browser without scripts whose button is pressed twice sends the form twice, and may
// drop the first response with its cookie. So the new token is derived from the old one
// with a key of the server, and for renewalGrace a request with the old token is
// answered as one with the new token, which it gets again. Within these seconds a copy
// of the old cookie gets it too.

// renewalGrace is how long the old token is accepted after a renewal: long enough for
// a second press of a button and for the redirect that follows.
const renewalGrace = 10 * time.Second

// renewalName is the session's value that a renewal stores.
const renewalName = "renewal"

// renewalBytes is the length of that value in JSON with its name, at most.
const renewalBytes = 110

// renewal is the time of the last renewal in microseconds, a space, and the id that the
// row had before the first one; empty without a renewal.
type renewal string

func renewalAt(now time.Time, forms string) renewal {
	return renewal(strconv.FormatInt(now.UnixMicro(), 10) + " " + forms)
}

// within reports whether the last renewal was less than renewalGrace before now.
func (r renewal) within(now time.Time) bool {
	text, _, _ := strings.Cut(string(r), " ")
	at, err := strconv.ParseInt(text, 10, 64)
	return err == nil && now.Sub(time.UnixMicro(at)) < renewalGrace
}

// forms returns what form tokens are made of: the row's id as it was before the first
// renewal. So forms on the screen stay valid, and the database has nothing to make a
// form token of.
func (v *visit) forms() string {
	//mutant:replace ; renewed { => ; renewed && false { TestRenewalKeepsForms
	if _, forms, renewed := strings.Cut(string(v.row.renewal), " "); renewed {
		return forms
	}
	return v.key
}

// name returns the row's number as the session's Key.
func (r *row) name() string { return strconv.FormatInt(r.Handle, 10) }

// values decodes Data and sets renewal.
func (r *row) values() (values map[string]string, err error) {
	if err := json.Unmarshal([]byte(r.Data), &values); err != nil {
		return nil, fmt.Errorf("session: data: %w", err)
	}
	r.renewal = renewal(values[renewalName])
	return values, nil
}

// find returns the session of the visit's token and its values; nil if there is none.
// After a renewal it sets the visit's token to the one that followed.
func (st *store) find(ctx context.Context, v *visit) (*found, map[string]string, error) {
	f, err := st.read(ctx, v.key)
	if err != nil {
		return nil, nil, err
	}
	if f != nil {
		values, err := f.Row.values()
		return f, values, err
	}
	//mutant:replace st.nextKeys => st.nextKeys[:1] TestRenewalWhileTheSecretIsReplaced
	//mutant:replace st.nextKeys => st.nextKeys[:0] ./web TestConfirmationPressedAgainStaysSignedIn
	for _, key := range st.nextKeys {
		next := key.MAC(v.token)
		f, err := st.read(ctx, keyOf(next))
		if err != nil {
			return nil, nil, err
		}
		if f == nil {
			continue
		}
		values, err := f.Row.values()
		//mutant:replace || !f.Row.renewal.within(st.now()) => TestRenewalEndsTheOldToken
		//mutant:replace || !f.Row.renewal.within(st.now()) => ./web TestCopiedCookieIsNotKnown
		if err != nil || !f.Row.renewal.within(st.now()) {
			return nil, nil, err
		}
		v.token, v.key, v.cookie, v.late = next, f.Row.ID, true, true
		return f, values, nil
	}
	return nil, nil, nil
}

// renew gives the session a new token, and marks its browser as known if that is set.
// It changes nothing if the session ended meanwhile. If another request with the same
// token has renewed it, the response sets that request's token.
func (s *Sessions) renew(ctx context.Context, g *sessions.Session, known bool) error {
	v := visitOf(g)
	var token []byte
	var renewed *row
	err := s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		token, renewed = nil, nil
		r, err := lockRow(tx, v.row.Handle, v.row.Epoch)
		if err != nil || r == nil {
			return err
		}
		values, err := r.values()
		//mutant:replace || s.madeWith(r) < 0 => TestForgedSessionIsNotRenewed
		if err != nil || s.madeWith(r) < 0 {
			return err // the next request reports a forged row
		}
		switch {
		case r.ID != v.key:
			//mutant:replace s.nextToken(v.token, r.ID) => nil TestRequestBesideARenewal
			token = s.nextToken(v.token, r.ID)
		//mutant:replace !v.late => true TestThreePresses
		case !v.late:
			token = s.nextKeys.Current().MAC(v.token)
			r.ID, r.renewal = keyOf(token), renewalAt(s.now(), v.forms())
			values[renewalName] = string(r.renewal)
		}
		//mutant:replace r.Known || known => r.Known ./web TestStrangeBrowserConfirms
		r.Known = r.Known || known
		r.MAC = macOf(s.macKeys.Current(), r)
		if r.Data, err = encode(values); err != nil {
			return err
		}
		renewed = r
		return storeRenewal(tx, r)
	})
	if err != nil || renewed == nil {
		return err
	}
	s.store.forget(v.key)
	v.row, v.key, g.ID = *renewed, renewed.ID, renewed.ID
	v.hold(*v.holder)
	//mutant:drop TestRenewalEndsTheOldToken
	if token != nil {
		v.token, v.cookie = token, true
	}
	if renewed.renewal != "" {
		v.base = maps.Clone(v.base) // which a remembered session may share
		g.Values[renewalName], v.base[renewalName] = string(renewed.renewal), string(renewed.renewal)
	}
	return nil
}

// nextToken returns the token that followed token and has the id; nil if it is another
// session's, or was renewed again.
func (s *Sessions) nextToken(token []byte, id string) []byte {
	for _, key := range s.nextKeys {
		if next := key.MAC(token); keyOf(next) == id {
			return next
		}
	}
	return nil
}
