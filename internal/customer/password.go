package customer

import (
	"context"
	_ "embed"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"elsom/internal/fault"
)

// Hash is how passwords are hashed with argon2id.
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

// hasher hashes and compares passwords, only so many at once: each takes its
// memory, and a storm of logins must not take all of it.
type hasher struct {
	params *argon2id.Params
	turns  chan struct{}
	// dummy is compared where there is no password to compare with, so that
	// an unknown number takes as long as a known one.
	dummy string
}

func newHasher(h Hash) (*hasher, error) {
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
	return &hasher{params: params, turns: make(chan struct{}, h.AtOnce), dummy: dummy}, nil
}

// turn waits for leave to hash; release gives it back. Who gives up waiting
// gets fault.Unavailable.
func (h *hasher) turn(ctx context.Context) (release func(), err error) {
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "customer.hash", "customer.busy").Because(ctx.Err())
	}
}

// hash makes the hash under which a password is kept.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, h.params)
	return hash, fault.Wrap("customer.hash", err)
}

// match tells whether the password is the one kept as hash, and whether it
// should be hashed anew because the parameters have changed. With an empty
// hash, or a password longer than any that is kept, it takes the same time
// and says no.
func (h *hasher) match(ctx context.Context, password, hash string) (right, outdated bool, err error) {
	possible := hash != "" && len(password) <= PasswordMax*utf8.UTFMax
	if !possible {
		password, hash = "", h.dummy
	}
	release, err := h.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	right, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fault.Wrap("customer.match", err)
	}
	return right && possible, *params != *h.params, nil
}

//go:embed common.txt
var commonList string

var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			set[line] = true
		}
	}
	return set
})

// isCommon tells whether a password is among those that guessers try first.
func isCommon(password string) bool {
	return common()[strings.ToLower(strings.TrimSpace(password))]
}
