// Package billerlogin keeps the names and passwords with which the portal logs in
// at billers (HTTP Basic).
//
// Passwords are stored sealed with the server's key and bound to their billers.
// Every process applies a change within a second. Passwords are never printed or
// logged, and a login that can't be read is an error, never an empty one.
package billerlogin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
)

// Login is a name and a password. Formatted, it shows the name only.
type Login struct {
	Biller   string
	User     string
	Password string
	SetAt    time.Time
}

// String implements fmt.Stringer.
func (l Login) String() string { return l.User + " with a password" }

// GoString implements fmt.GoStringer.
func (l Login) GoString() string { return l.String() }

// Logins reads and writes the logins of a database.
type Logins struct {
	db      *database.DB
	ciphers keyedhash.Ciphers

	mu   sync.Mutex
	seen time.Time // when the copy was read
	copy map[string]Login
}

// freshness is how long logins are cached.
const freshness = time.Second

// New returns the logins of a database. They are sealed with a key derived from
// secret; those sealed under previous secrets are accepted, and sealed anew when they
// are read.
func New(db *database.DB, secret []byte, previous ...[]byte) (*Logins, error) {
	keys, err := keyedhash.DeriveAll("elsom biller logins", secret, previous...)
	if err != nil {
		return nil, fmt.Errorf("billerlogin: %w", err)
	}
	ciphers, err := keys.Ciphers()
	if err != nil {
		return nil, fmt.Errorf("billerlogin: %w", err)
	}
	return &Logins{db: db, ciphers: ciphers}, nil
}

// Maximum lengths in bytes.
const (
	userLength     = 100
	passwordLength = 500
)

// ErrUser and ErrPassword report values that can't be sent by HTTP Basic.
var (
	ErrUser     = fmt.Errorf("the name must have 1 to %d printable characters and no colon", userLength)
	ErrPassword = fmt.Errorf("the password must have 1 to %d characters, none of them invisible", passwordLength)
)

// Set stores or replaces a biller's login. It returns fault.Invalid, wrapping
// ErrUser or ErrPassword, for values that can't be sent.
func (ls *Logins) Set(ctx context.Context, biller, user, password string) error {
	const op = "billerlogin.set"
	switch {
	case !sendable(user, userLength) || strings.Contains(user, ":"):
		return fault.New(fault.Invalid, op, "").Because(ErrUser)
	case !sendable(password, passwordLength):
		return fault.New(fault.Invalid, op, "").Because(ErrPassword)
	}
	sealed := ls.seal(biller, []byte(password))
	//mutant:replace sealed => sealed[:0] + password TestLoginIsSealed
	return fault.Wrap(op, upsert(ctx, ls.db, row{Biller: biller, Username: user, Sealed: sealed, SetAt: ls.db.Now()}))
}

// sendable reports whether a text can be sent in a header.
func sendable(text string, most int) bool {
	return text != "" && len(text) <= most && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Remove deletes a biller's login and reports whether there was one.
func (ls *Logins) Remove(ctx context.Context, biller string) (removed bool, err error) {
	removed, err = remove(ctx, ls.db, biller)
	return removed, fault.Wrap("billerlogin.remove", err)
}

// Of returns a biller's login and whether one is set. It returns an error if that
// is unknown, or if the password can't be decrypted.
func (ls *Logins) Of(ctx context.Context, biller string) (login Login, found bool, err error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if now := ls.db.Now(); ls.copy == nil || now.Sub(ls.seen) >= freshness || now.Before(ls.seen) {
		fresh, err := ls.All(ctx)
		switch {
		case err == nil:
			ls.copy, ls.seen = fresh, now
		case ls.copy == nil || !fault.Is(err, fault.Unavailable):
			return Login{}, false, err
		}
	}
	login, found = ls.copy[biller]
	return login, found, nil
}

var errSealed = errors.New("it can't be opened with this secret: set it again")

// All returns the logins of all billers, by code.
func (ls *Logins) All(ctx context.Context) (map[string]Login, error) {
	const op = "billerlogin.read"
	rows, err := list(ctx, ls.db)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	all := make(map[string]Login, len(rows))
	for _, r := range rows {
		password, stale, err := ls.open(r)
		if err != nil {
			return nil, fault.New(fault.Internal, op, "").Because(fmt.Errorf("the password of biller %s: %w", r.Biller, errSealed))
		}
		//mutant:drop TestLoginIsSealedAnew/sqlite
		if stale {
			ls.reseal(ctx, r, password)
		}
		all[r.Biller] = Login{r.Biller, r.Username, string(password), r.SetAt}
	}
	return all, nil
}

func (ls *Logins) open(r row) (password []byte, stale bool, err error) {
	sealed, err := base64.StdEncoding.DecodeString(r.Sealed)
	if err != nil {
		return nil, false, err
	}
	return ls.ciphers.Open(sealed, []byte(r.Biller))
}

func (ls *Logins) seal(biller string, password []byte) string {
	return base64.StdEncoding.EncodeToString(ls.ciphers.Seal(password, []byte(biller)))
}

// reseal seals a login under the key in use, unless it was changed meanwhile. It may
// fail: the login can still be opened, and the next read tries again.
func (ls *Logins) reseal(ctx context.Context, r row, password []byte) {
	if err := replaceSealed(ctx, ls.db, r, ls.seal(r.Biller, password)); err != nil {
		slog.WarnContext(ctx, "billerlogin: sealing under the new key failed", "biller", r.Biller, "error", err)
	}
}

// Stale returns how many logins are sealed under a previous secret.
func (ls *Logins) Stale(ctx context.Context) (int, error) {
	rows, err := list(ctx, ls.db)
	n := 0
	for _, r := range rows {
		if _, stale, err := ls.open(r); err != nil || stale {
			n++
		}
	}
	return n, fault.Wrap("billerlogin.stale", err)
}
