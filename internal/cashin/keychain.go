package cashin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"runtime"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"elsom/internal/fault"
)

// remember is how long a password that was found right needs no new hashing.
const remember = 10 * time.Minute

// keychain compares agents' passwords. The operator chooses them, so they are
// hashed slowly; agents call at each cash-in, so one found right is remembered
// for a while, as a keyed hash that means nothing outside this process.
type keychain struct {
	params *argon2id.Params
	// turns bounds how many are hashed at once.
	turns chan struct{}
	// dummy is compared where there is no agent.
	dummy string
	salt  [32]byte

	mu    sync.Mutex
	right map[string]proof // by agent
}

// proof is a password that was found right for a stored hash.
type proof struct {
	hash  string
	mac   [sha256.Size]byte
	until time.Time
}

// tally counts passwords that have to be tried.
type tally struct {
	take  func() error
	reset func()
}

func newKeychain() (*keychain, error) {
	k := &keychain{
		params: &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		turns:  make(chan struct{}, max(1, runtime.NumCPU()-1)),
		right:  map[string]proof{},
	}
	if _, err := rand.Read(k.salt[:]); err != nil {
		return nil, err
	}
	var err error
	k.dummy, err = argon2id.CreateHash("nobody's password", k.params)
	return k, err
}

// turn waits for leave to hash.
func (k *keychain) turn(ctx context.Context) error {
	select {
	case k.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "cashin.password", "").Because(ctx.Err())
	}
}

func (k *keychain) hash(ctx context.Context, password string) (string, error) {
	if err := k.turn(ctx); err != nil {
		return "", err
	}
	defer func() { <-k.turns }()
	hash, err := argon2id.CreateHash(password, k.params)
	return hash, fault.Wrap("cashin.password", err)
}

func (k *keychain) compare(ctx context.Context, password, hash string) (bool, error) {
	if err := k.turn(ctx); err != nil {
		return false, err
	}
	defer func() { <-k.turns }()
	right, err := argon2id.ComparePasswordAndHash(password, hash)
	return right, fault.Wrap("cashin.password", err)
}

// match tells whether the password is the one kept as hash. An empty hash
// takes the same time and says no.
func (k *keychain) match(ctx context.Context, hash, code, password string, now func() time.Time, tries tally) (bool, error) {
	mac := k.mac(code, password)
	if k.proven(code, hash, mac, now()) {
		return true, nil
	}
	if err := k.turn(ctx); err != nil {
		return false, err
	}
	defer func() { <-k.turns }()
	if k.proven(code, hash, mac, now()) {
		return true, nil // by another request while this one waited
	}
	if err := tries.take(); err != nil {
		return false, err
	}
	against := hash
	if possible := hash != "" && len(password) <= passwordMax*utf8.UTFMax; !possible {
		hash, password, against = "", "", k.dummy
	}
	right, err := argon2id.ComparePasswordAndHash(password, against)
	if err != nil || !right || hash == "" {
		return false, fault.Wrap("cashin.password", err)
	}
	tries.reset()
	k.mu.Lock()
	k.right[code] = proof{hash, mac, now().Add(remember)}
	k.mu.Unlock()
	return true, nil
}

func (k *keychain) mac(code, password string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, k.salt[:])
	h.Write([]byte(code))
	h.Write([]byte{0})
	h.Write([]byte(password))
	h.Sum(sum[:0])
	return sum
}

// proven tells whether this password was found right for this hash lately. A
// changed password has another hash, so it counts at once.
func (k *keychain) proven(code, hash string, mac [sha256.Size]byte, now time.Time) bool {
	k.mu.Lock()
	p, known := k.right[code]
	k.mu.Unlock()
	return known && p.hash == hash && now.Before(p.until) && subtle.ConstantTimeCompare(p.mac[:], mac[:]) == 1
}
