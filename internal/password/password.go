// Package password hashes and compares passwords slowly, with argon2id.
//
// It promises that only so many are hashed at once, since each takes its
// memory; that the queue for a turn is short and nobody waits in it for long;
// and that a missing hash takes as long as a wrong password. It stores nothing
// and counts no tries: who compares a password has counted it before.
package password

import (
	"context"
	"runtime"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/secure/precis"

	"elsom/internal/fault"
)

// Max is how long a password may be, in characters; a longer one is never right.
const Max = 128

// Hash is how passwords are hashed.
type Hash struct {
	MemoryKiB, Passes uint32
	// AtOnce is how many may be hashed at the same time; zero: one fewer than
	// there are processors, so that payments always find one.
	AtOnce int
}

// DefaultHash is 19 MiB and two passes, the least that OWASP asks for.
var DefaultHash = Hash{MemoryKiB: 19 * 1024, Passes: 2}

const (
	hashSalt  = 16
	hashLanes = 1
	hashKey   = 32
)

// Hasher hashes and compares passwords.
type Hasher struct {
	params *argon2id.Params
	queue  *queue
	behind bool
	// dummy is compared where there is no password to compare with.
	dummy string
}

// New makes a hasher; a zero Hash: DefaultHash.
func New(h Hash) (*Hasher, error) {
	if h.MemoryKiB == 0 {
		h.MemoryKiB, h.Passes = DefaultHash.MemoryKiB, DefaultHash.Passes
	}
	if h.AtOnce == 0 {
		h.AtOnce = max(1, runtime.NumCPU()-1)
	}
	params := &argon2id.Params{
		Memory: h.MemoryKiB, Iterations: h.Passes, Parallelism: hashLanes, SaltLength: hashSalt, KeyLength: hashKey,
	}
	dummy, err := argon2id.CreateHash("nobody's password", params)
	if err != nil {
		return nil, err
	}
	return &Hasher{params: params, queue: &queue{free: h.AtOnce}, dummy: dummy}, nil
}

// Behind returns a hasher with lower priority than h, so that anonymous requests
// don't delay those from known browsers and addresses.
func (h *Hasher) Behind() *Hasher {
	behind := *h
	behind.behind = true
	return &behind
}

func busy(cause error) error {
	return fault.New(fault.Unavailable, "password.turn", "customer.busy").After(patience).Because(cause)
}

// Normal returns a password in the form in which it is hashed and compared:
// RFC 8265 OpaqueString, which composes characters (NFC) and maps every space
// to U+0020, so that two keyboards that write one password differently open
// the same lock. ok is false where the profile refuses the text, such as one
// with control characters.
func Normal(password string) (normal string, ok bool) {
	if len(password) > maxTyped {
		return "", false
	}
	normal, err := precis.OpaqueString.String(password)
	return normal, err == nil
}

// maxTyped bounds what is normalized, in bytes: a character may be typed as a
// base and several combining marks.
const maxTyped = 4 * Max * utf8.UTFMax

// Hash returns the hash under which a password is stored, of its normal form.
// A text that has none is hashed as it is: callers judge passwords before.
// fault.Unavailable when too much is to be hashed.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if normal, ok := Normal(password); ok {
		password = normal
	}
	release, err := h.queue.turn(ctx, h.behind)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, h.params)
	return hash, fault.Wrap("password.hash", err)
}

// Match reports whether the password is the one stored as hash, and whether it
// should be hashed anew: the parameters have changed, or the hash is of the
// password as it was typed, from before passwords were normalized. With an empty
// hash, or a password longer than any that is stored, it takes the same time
// and reports false. fault.Unavailable when too much is to be hashed.
func (h *Hasher) Match(ctx context.Context, password, hash string) (right, outdated bool, err error) {
	possible := hash != "" && len(password) <= maxTyped
	//mutant:replace if !possible => if hash == "" { return false, false, nil; }; if !possible TestTurns
	if !possible {
		password, hash = "", h.dummy
	}
	forms := []string{password}
	if normal, ok := Normal(password); ok && normal != password {
		//mutant:replace normal, => TestMatchNormalizes
		forms = []string{normal, password}
	}
	release, err := h.queue.turn(ctx, h.behind)
	if err != nil {
		return false, false, err
	}
	defer release()
	for i, form := range forms {
		right, params, err := argon2id.CheckHash(form, hash)
		if err != nil {
			return false, false, fault.Wrap("password.match", err)
		}
		if right && possible {
			return true, *params != *h.params || i > 0, nil
		}
	}
	return false, false, nil
}
