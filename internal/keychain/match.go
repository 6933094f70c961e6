package keychain

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// remember is how long after its last use a password that was found right
// needs no new hashing. It is longer than a night, so that a caller who
// comes daily isn't counted among the guessers.
const remember = 24 * time.Hour

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

// match tells whether the password is the one kept as hash. An empty hash
// takes the same time and says no.
func (k *Keychain) match(ctx context.Context, hash, code, password string, now func() time.Time, tries tally) (bool, error) {
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

func (k *Keychain) mac(code, password string) (sum [sha256.Size]byte) {
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
func (k *Keychain) proven(code, hash string, mac [sha256.Size]byte, now time.Time) bool {
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
