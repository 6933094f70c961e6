// Package password hashes and compares passwords slowly, with argon2id.
//
// It guarantees that the number of concurrent hashes is limited, since each takes
// memory and a processor; that the queue for them is short and its wait bounded; and
// that a missing hash takes as long as a wrong password. It stores nothing and
// counts no attempts: callers count an attempt before they compare.
package password

import (
	"context"
	"runtime"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/secure/precis"

	"elsom/internal/fault"
)

// Max is the maximum length of a password in characters; a longer one never matches.
const Max = 128

// Hash holds the parameters by which passwords are hashed.
type Hash struct {
	MemoryKiB, Passes uint32
	// AtOnce is the number of concurrent hashes; zero: one fewer than there are
	// processors, so that one is left for payments.
	AtOnce int
}

// DefaultHash is 19 MiB and two passes, the minimum that OWASP recommends.
//
//mutant:replace 19 => 12 TestDefaultHash
var DefaultHash = Hash{MemoryKiB: 19 * 1024, Passes: 2}

const (
	hashSalt  = 16
	hashLanes = 1
	hashKey   = 32
)

// Hasher hashes and compares passwords.
type Hasher struct {
	params      *argon2id.Params
	queue       *queue
	lowPriority bool
	// dummy is compared if there is no hash.
	dummy string
}

// New returns a hasher; a zero Hash means DefaultHash.
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
	dummy, err := argon2id.CreateHash("no password", params)
	if err != nil {
		return nil, err
	}
	return &Hasher{params: params, queue: &queue{free: h.AtOnce}, dummy: dummy}, nil
}

// LowPriority returns a hasher that shares the queue of h with lower priority, so
// that anonymous requests don't delay those from familiar browsers and addresses.
func (h *Hasher) LowPriority() *Hasher {
	low := *h
	low.lowPriority = true
	return &low
}

func busy(cause error) error {
	return fault.New(fault.Unavailable, "password.queue", "customer.busy").After(maxWait).Because(cause)
}

// Normal returns the form of a password that is hashed and compared: RFC 8265
// OpaqueString, which composes characters (NFC) and maps every space to U+0020, so
// that keyboards that encode a password differently produce the same form. ok is
// false if the profile refuses the text, such as one with control characters.
func Normal(password string) (normal string, ok bool) {
	if len(password) > maxTyped {
		return "", false
	}
	normal, err := precis.OpaqueString.String(password)
	return normal, err == nil
}

// maxTyped limits what is normalized, in bytes: a character may be typed as a base
// and several combining marks.
const maxTyped = 4 * Max * utf8.UTFMax

// Hash returns the hash of a password's normal form. A text without one is hashed as
// it is: callers check passwords before. It returns fault.Unavailable if the queue
// is full or the wait too long.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if normal, ok := Normal(password); ok {
		password = normal
	}
	release, err := h.queue.acquire(ctx, h.lowPriority)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, h.params)
	return hash, fault.Wrap("password.hash", err)
}

// Match reports whether the password is the one stored as hash, and whether it
// should be hashed again: the parameters have changed, or the hash is of the
// password as it was typed, from before passwords were normalized. With an empty
// hash, or a password longer than any that is stored, it takes the same time and
// reports false. It returns fault.Unavailable if the queue is full or the wait too
// long.
func (h *Hasher) Match(ctx context.Context, password, hash string) (right, outdated bool, err error) {
	possible := hash != "" && len(password) <= maxTyped
	//mutant:replace if !possible => if hash == "" { return possible, hash != "", nil; }; if !possible TestConcurrencyLimit
	if !possible {
		password, hash = "", h.dummy
	}
	forms := []string{password}
	if normal, ok := Normal(password); ok && normal != password {
		//mutant:replace normal, => TestMatchNormalizes
		forms = []string{normal, password}
	}
	release, err := h.queue.acquire(ctx, h.lowPriority)
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
