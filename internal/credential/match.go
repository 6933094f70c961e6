package credential

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// tally counts passwords that have to be tried.
type tally struct {
	place string
	take  func() error
	reset func()
}

// MAC returns the keyed hash by which a right password is recognized without
// being counted or hashed slowly. It covers the slow hash, so it ends with a
// change of the password. Empty without a server's key: nothing is kept then.
func (k *Keychain) MAC(code, hash, password string) string {
	if !k.keyed {
		return ""
	}
	return k.mac(code, hash, password)
}

func (k *Keychain) mac(code, hash, password string) string {
	mac := hmac.New(sha256.New, k.key)
	//mutant:replace hash, => ./internal/cashin TestRightPasswordIsNoTry
	for _, text := range []string{code, hash, password} {
		fmt.Fprintf(mac, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// match reports whether the password is the one kept as hash. An empty hash
// takes the same time and says no.
func (k *Keychain) match(ctx context.Context, lock Lock, hash, code, password string, tries tally) (bool, error) {
	mac := k.mac(code, hash, password)
	if hash != "" && k.recognized(lock, code, mac) {
		return true, nil
	}
	right, err, _ := k.same.Do(tries.place+"\x00"+mac, func() (any, error) {
		if hash != "" && k.recognized(lock, code, mac) {
			return true, nil // by another request a moment ago
		}
		// Counted before it waits for its turn: a queue of guesses is counted too.
		if err := tries.take(); err != nil {
			return false, err
		}
		right, _, err := k.Match(ctx, password, hash)
		if right {
			tries.reset()
			k.remember(ctx, lock, code, mac)
		}
		return right, err
	})
	return right.(bool), err
}

// recognized reports whether this password was found right for this slow hash
// before: by this process, or by another one that stored it.
func (k *Keychain) recognized(lock Lock, code, mac string) bool {
	//mutant:drop ./web TestMachinesAreAdmittedAfterARestart
	if k.keyed && hmac.Equal([]byte(lock.MAC), []byte(mac)) {
		return true
	}
	found, known := k.right.Load(code)
	return known && hmac.Equal([]byte(found.(string)), []byte(mac))
}

// remember keeps the keyed hash of a password that was found right. Where it
// can't be stored, a restart costs one more slow hash, which is counted.
func (k *Keychain) remember(ctx context.Context, lock Lock, code, mac string) {
	k.right.Store(code, mac)
	//mutant:replace !k.keyed || lock.Keep == nil => true ./internal/cashin TestRightPasswordIsNoTry
	if !k.keyed || lock.Keep == nil {
		return
	}
	if err := lock.Keep(context.WithoutCancel(ctx), mac); err != nil {
		slog.WarnContext(ctx, "keychain: keyed hash of a right password not stored", "code", code, "error", err)
	}
}
