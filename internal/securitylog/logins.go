package securitylog

import (
	"context"
	"slices"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

// LoginEvent is a login, or an attempt at one, as the wallet's holder is shown it.
type LoginEvent struct {
	ID      int64
	At      time.Time
	Event   Event // Login, Signup or PasswordReset
	Outcome Outcome
	// Detail is the reason of a refusal.
	Detail string
	// Device is the browser and the system, Network the network around the address; empty
	// if unknown.
	Device, Network string
	// Here reports that it was the browser of the request in ctx.
	Here bool
	// Count is the number of attempts that this one stands for.
	Count int64
}

// Logins returns up to n logins and attempts at a number since a time, newest first, and
// whether there are more. before is the ID of the last one that was returned; 0: none. What
// this process has recorded is written first, so that the current login is among them.
func (l *Log) Logins(ctx context.Context, number phone.Number, since time.Time, before int64, n int) (list []LoginEvent, more bool, err error) {
	const op = "securitylog.logins"
	if l == nil {
		return nil, false, nil
	}
	if err := l.flush(ctx, false); err != nil {
		return nil, false, fault.Wrap(op, err)
	}
	var rows []row
	for _, key := range l.keys {
		some, err := readLogins(ctx, l.db, hash(key, "number", number.String()), database.FirstID(since), before, n+1)
		if err != nil {
			return nil, false, fault.Wrap(op, err)
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b row) int { return int(max(-1, min(1, b.ID-a.ID))) })
	//mutant:replace len(rows) > n => len(rows) > n+n TestLoginsByPages
	if len(rows) > n {
		rows, more = rows[:n], true
	}
	var here string
	if source, ok := ctx.Value(sourceKey{}).(*Source); ok {
		here = source.Browser()
	}
	list = make([]LoginEvent, len(rows))
	for i, r := range rows {
		list[i] = LoginEvent{
			ID: r.ID, At: r.At.UTC(), Event: r.Event, Outcome: r.Outcome, Detail: r.Detail, Device: r.Device, Network: r.Network, Count: r.Count,
			Here: r.Browser != "" && slices.ContainsFunc(l.hashesOf("browser", here), func(h string) bool { return h == r.Browser }),
		}
	}
	return list, more, nil
}

// hashesOf returns the hashes of a text under all keys; an empty text has none.
func (l *Log) hashesOf(purpose, text string) (all []string) {
	for _, key := range l.keys {
		if h := hash(key, purpose, text); h != "" {
			all = append(all, h)
		}
	}
	return all
}
