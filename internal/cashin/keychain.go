package cashin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"elsom/internal/password"
)

// remember is how long after its last use a password that was found right
// needs no new hashing. It is longer than a night, so that an agent who calls
// daily isn't counted among the guessers.
const remember = 24 * time.Hour

// keychain compares agents' passwords. The operator chooses them, so they are
// hashed slowly; agents call at each cash-in, so one found right is remembered
// for a while, as a keyed hash that means nothing outside this process.
type keychain struct {
	*password.Hasher
	salt [32]byte
	// same joins those who try one password at once: it is one try.
	same singleflight.Group

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
	place string
	take  func() error
	reset func()
}

func newKeychain() (*keychain, error) {
	k := &keychain{right: map[string]proof{}}
	if _, err := rand.Read(k.salt[:]); err != nil {
		return nil, err
	}
	var err error
	k.Hasher, err = password.New(password.DefaultHash)
	return k, err
}

// match tells whether the password is the one kept as hash. An empty hash
// takes the same time and says no.
func (k *keychain) match(ctx context.Context, hash, code, password string, now func() time.Time, tries tally) (bool, error) {
	mac := k.mac(code, password)
	if k.proven(code, hash, mac, now()) {
		return true, nil
	}
	right, err, _ := k.same.Do(tries.place+"\x00"+hash+"\x00"+string(mac[:]), func() (any, error) {
		if k.proven(code, hash, mac, now()) {
			return true, nil // by another request a moment ago
		}
		// Counted before it waits for its turn: a queue of guesses is counted too.
		if err := tries.take(); err != nil {
			return false, err
		}
		right, _, err := k.Match(ctx, password, hash)
		if right {
			tries.reset()
			k.mu.Lock()
			k.right[code] = proof{hash, mac, now().Add(remember)}
			k.mu.Unlock()
		}
		return right, err
	})
	return right.(bool), err
}

func (k *keychain) mac(code, password string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, k.salt[:])
	h.Write([]byte(code))
	h.Write([]byte{0})
	h.Write([]byte(password))
	h.Sum(sum[:0])
	return sum
}

// proven tells whether this password was found right for this hash lately, and
// remembers it longer if so. A changed password has another hash, so it counts
// at once.
func (k *keychain) proven(code, hash string, mac [sha256.Size]byte, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, known := k.right[code]
	if !known || p.hash != hash || !now.Before(p.until) || subtle.ConstantTimeCompare(p.mac[:], mac[:]) != 1 {
		return false
	}
	p.until = now.Add(remember)
	k.right[code] = p
	return true
}
