package credential

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/netip"
	"sync"

	"golang.org/x/sync/singleflight"

	"elsom/internal/keyedhash"
	"elsom/internal/password"
	"elsom/internal/ratelimit"
)

// secret has the stored hashes of a caller's password. The zero value matches no
// password.
type secret struct {
	hash string
	// mac is the keyed hash of the right password; empty if it was never presented.
	mac string
}

// verifier compares callers' passwords. They are chosen by operators, so they are
// hashed by a slow hash. They are sent with every request, so a password that was
// right before is recognized by a fast keyed hash.
type verifier struct {
	*password.Hasher
	counters Counters // nil: attempts are not counted
	limits   Limits
	keys     keyedhash.Keys
	stored   bool // keyed hashes are stored: keys are derived from the server's secret
	// same joins concurrent attempts with one password: they are one attempt.
	same  singleflight.Group
	right sync.Map // code → keyed hash of the password that was right in this process
}

// newVerifier derives the key of the keyed hashes from the server's secret. Hashes made
// with previous secrets are accepted. Without a secret it uses a random key, and no
// keyed hash is stored.
func newVerifier(counters Counters, limits Limits, serverSecret []byte, previous ...[]byte) (*verifier, error) {
	v := &verifier{counters: counters, limits: limits, stored: len(serverSecret) > 0}
	if !v.stored {
		serverSecret = make([]byte, sha256.Size)
		_, _ = rand.Read(serverSecret) // never fails: crypto/rand ends the process instead
	}
	var err error
	if v.keys, err = keyedhash.DeriveAll("elsom keychain", serverSecret, previous...); err != nil {
		return nil, err
	}
	v.Hasher, err = password.New(password.DefaultHash)
	return v, err
}

// storedMAC returns the keyed hash of a password to be stored; empty if keyed hashes
// are not stored.
func (v *verifier) storedMAC(code, hash, password string) string {
	if !v.stored {
		return ""
	}
	return mac(v.keys.Current(), code, hash, password)
}

// mac returns the keyed hash of a password. It includes the slow hash, so that it is
// invalid once the password changes.
func mac(key keyedhash.Key, code, hash, password string) string {
	//mutant:replace hash, => ./internal/cashin TestRightPasswordIsNotCounted
	return key.Sum(code, hash, password)
}

// attempt is one presented password.
type attempt struct {
	code, password string
	from           netip.Addr
	// admissible is false for a caller that is disabled or calls from an address that
	// is not allowed. Its password is not compared then, and the attempt is not
	// counted for the code from all addresses, because that would lock out the
	// machines at allowed addresses.
	admissible bool
}

// verify reports whether the password is right for an admissible caller, in the
// same time for every reason to refuse. save stores the keyed hash of a password
// that was right for the first time. Errors: fault.TooMany if a limit is
// exhausted; fault.Unavailable if the hasher is overloaded.
func (v *verifier) verify(ctx context.Context, s secret, a attempt, save func(ctx context.Context, mac string) error) (bool, error) {
	hash := s.hash
	if !a.admissible {
		hash = ""
	}
	// An inadmissible attempt has another keyed hash, so it never joins an admissible
	// one from the same address below.
	mac := mac(v.keys.Current(), a.code, hash, a.password)
	if hash != "" && v.recognized(s, a.code, mac) {
		return true, nil
	}
	//mutant:replace hash != "" => false TestKeyedHashesOfThePreviousSecret
	if hash != "" && v.stored && v.keys[1:].Made(s.mac, a.code, hash, a.password) {
		v.storeRight(ctx, a.code, mac, save)
		return true, nil
	}
	address := ratelimit.Address(a.from.String())
	right, err, _ := v.same.Do(address+"\x00"+mac, func() (any, error) {
		if hash != "" && v.recognized(s, a.code, mac) {
			return true, nil // stored by a request that has just ended
		}
		// Counted before the password is queued for the hasher, so that queued guesses
		// are counted too.
		if err := v.count(ctx, a, address, s.hash == "" || a.admissible); err != nil {
			return false, err
		}
		right, _, err := v.Match(ctx, a.password, hash)
		if right {
			v.resetCount(ctx, a.code, address)
			v.storeRight(ctx, a.code, mac, save)
		}
		return right, err
	})
	return right.(bool), err
}

// count counts an attempt against the address, the code from this address, and, if
// total is set, the code from all addresses.
func (v *verifier) count(ctx context.Context, a attempt, address string, total bool) error {
	if v.counters == nil {
		return nil
	}
	if err := v.counters.Take(ctx, v.limits.Address, address); err != nil {
		return err
	}
	if err := v.counters.Take(ctx, v.limits.Code, a.code+" "+address); err != nil || !total {
		return err
	}
	return v.counters.Take(ctx, v.limits.Total, a.code)
}

// resetCount resets the count of a code from an address after a right password.
func (v *verifier) resetCount(ctx context.Context, code, address string) {
	if v.counters != nil {
		// The caller is recognized from now on, so a count that stays high has no
		// effect.
		_ = v.counters.Reset(ctx, v.limits.Code, code+" "+address)
	}
}

// recognized reports whether the password with this keyed hash was right before, in
// this process or in one that stored the keyed hash.
func (v *verifier) recognized(s secret, code, mac string) bool {
	//mutant:drop ./web TestMachinesAuthenticateAfterRestart
	if v.stored && keyedhash.Equal(s.mac, mac) {
		return true
	}
	found, known := v.right.Load(code)
	return known && keyedhash.Equal(found.(string), mac)
}

// storeRight records the keyed hash of a right password. If it can't be stored, the
// first request after a restart costs another slow hash, which is counted.
func (v *verifier) storeRight(ctx context.Context, code, mac string, save func(ctx context.Context, mac string) error) {
	v.right.Store(code, mac)
	//mutant:replace !v.stored => true ./internal/cashin TestRightPasswordIsNotCounted
	if !v.stored {
		return
	}
	if err := save(context.WithoutCancel(ctx), mac); err != nil {
		slog.WarnContext(ctx, "credential: storing the keyed hash of a right password failed", "code", code, "error", err)
	}
}
