// Package keyedhash hashes texts with a key (HMAC-SHA256), so that a table can
// store what must be found or compared again, and shows nothing to a reader
// without the key.
//
// Hashes are stored: for the same key and texts they never change.
package keyedhash

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"sync"
)

// Key is the key of hashes for one purpose; see New. It is safe for concurrent use.
type Key struct {
	raw    []byte
	states *sync.Pool // of *state
}

// state is a hash that has hashed the key already, which is half the work for a short
// text, and room for the texts of SumMAC.
type state struct {
	mac   hash.Hash
	texts []byte
}

// New returns the key with these bytes.
func New(raw []byte) Key {
	return Key{raw, &sync.Pool{New: func() any { return &state{mac: hmac.New(sha256.New, raw)} }}}
}

// Derive derives the 32-byte key for a purpose from the server's secret, by HKDF
// without salt. It returns an error only if FIPS mode refuses the secret as too short.
func Derive(secret []byte, purpose string) (Key, error) { return DeriveSalted(secret, nil, purpose) }

// DeriveSalted derives as Derive does, from a secret and a salt.
func DeriveSalted(secret, salt []byte, purpose string) (Key, error) {
	//mutant:replace secret, salt, purpose => secret, salt, "" TestHashesNeverChange
	raw, err := hkdf.Key(sha256.New, secret, salt, purpose, sha256.Size)
	return New(raw), err
}

// Bytes returns the bytes of the key.
func (k Key) Bytes() []byte { return k.raw }

// MAC returns the 32-byte hash of data.
func (k Key) MAC(data []byte) []byte {
	s := k.states.Get().(*state)
	defer k.states.Put(s)
	return s.sum(data)
}

func (s *state) sum(data []byte) []byte {
	//mutant:drop TestHashesNeverChange
	s.mac.Reset()
	s.mac.Write(data)
	return s.mac.Sum(make([]byte, 0, sha256.Size))
}

// Hex returns the hash of a text as 64 hexadecimal digits.
func (k Key) Hex(text string) string { return hex.EncodeToString(k.MAC([]byte(text))) }

// Sum returns the hash of several texts as Hex does.
func (k Key) Sum(texts ...string) string { return hex.EncodeToString(k.SumMAC(texts...)) }

// SumMAC returns the 32-byte hash of several texts. Each text is preceded by its
// length, so that different lists never have the same input.
func (k Key) SumMAC(texts ...string) []byte {
	s := k.states.Get().(*state)
	defer k.states.Put(s)
	all := s.texts[:0]
	for _, text := range texts {
		//mutant:drop TestHashesNeverChange
		all = append(strconv.AppendInt(all, int64(len(text)), 10), ':')
		all = append(all, text...)
	}
	sum := s.sum(all)
	clear(all) // a text may be a PIN
	if s.texts = all; cap(all) > maxTexts {
		s.texts = nil
	}
	return sum
}

// maxTexts bounds the room, in bytes, that a state keeps.
const maxTexts = 4 << 10

// Equal compares two hashes in constant time.
func Equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
