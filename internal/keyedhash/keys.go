package keyedhash

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// Keys are the keys of one purpose while a secret is replaced. The first is in use;
// what was made with any of them is accepted. There is at least one.
type Keys []Key

// DeriveAll derives the keys for a purpose from the server's secret and from previous
// ones, of which empty ones are left out.
func DeriveAll(purpose string, secret []byte, previous ...[]byte) (Keys, error) {
	first, err := Derive(secret, purpose)
	keys := Keys{first}
	for _, p := range previous {
		if len(p) == 0 || err != nil {
			continue
		}
		var k Key
		k, err = Derive(p, purpose)
		keys = append(keys, k)
	}
	return keys, err
}

// Current returns the key in use.
func (ks Keys) Current() Key { return ks[0] }

// Any reports whether made reports true for one of the keys, the one in use first.
func (ks Keys) Any(made func(Key) bool) bool {
	for _, k := range ks {
		if made(k) {
			return true
		}
	}
	return false
}

// Made reports whether a hash is that of the texts under one of the keys; see
// Key.Sum.
func (ks Keys) Made(hash string, texts ...string) bool {
	return ks.Any(func(k Key) bool { return Equal(k.Sum(texts...), hash) })
}

// Ciphers encrypt with AES-GCM under the first of several keys and decrypt under any.
type Ciphers []cipher.AEAD

// Ciphers returns the ciphers of the keys.
func (ks Keys) Ciphers() (Ciphers, error) {
	cs := make(Ciphers, len(ks))
	for i, k := range ks {
		block, err := aes.NewCipher(k.raw)
		if err != nil {
			return nil, err
		}
		if cs[i], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
	}
	return cs, nil
}

// Seal encrypts text, bound to data.
func (cs Ciphers) Seal(text, data []byte) []byte { return cs[0].Seal(nil, nil, text, data) }

// Open decrypts what Seal has encrypted under one of the keys. stale reports that it
// was not the one in use.
func (cs Ciphers) Open(sealed, data []byte) (text []byte, stale bool, err error) {
	var failures []error
	for i, c := range cs {
		text, err := c.Open(nil, nil, sealed, data)
		if err == nil {
			return text, i > 0, nil
		}
		failures = append(failures, err)
	}
	return nil, false, errors.Join(failures...)
}
