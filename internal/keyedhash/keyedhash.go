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
	"strconv"
)

// Key is the key of hashes for one purpose.
type Key []byte

// Derive derives the 32-byte key for a purpose from the server's secret, by HKDF
// without salt. It returns an error only if FIPS mode refuses the secret as too short.
func Derive(secret []byte, purpose string) (Key, error) { return DeriveSalted(secret, nil, purpose) }

// DeriveSalted derives as Derive does, from a secret and a salt.
func DeriveSalted(secret, salt []byte, purpose string) (Key, error) {
	//mutant:replace secret, salt, purpose => secret, salt, "" TestHashesNeverChange
	return hkdf.Key(sha256.New, secret, salt, purpose, sha256.Size)
}

// MAC returns the 32-byte hash of data.
func (k Key) MAC(data []byte) []byte {
	mac := hmac.New(sha256.New, k)
	mac.Write(data)
	return mac.Sum(nil)
}

// Hex returns the hash of a text as 64 hexadecimal digits.
func (k Key) Hex(text string) string { return hex.EncodeToString(k.MAC([]byte(text))) }

// Sum returns the hash of several texts as Hex does.
func (k Key) Sum(texts ...string) string { return hex.EncodeToString(k.SumMAC(texts...)) }

// SumMAC returns the 32-byte hash of several texts. Each text is preceded by its
// length, so that different lists never have the same input.
func (k Key) SumMAC(texts ...string) []byte {
	var all []byte
	for _, text := range texts {
		//mutant:drop TestHashesNeverChange
		all = append(strconv.AppendInt(all, int64(len(text)), 10), ':')
		all = append(all, text...)
	}
	return k.MAC(all)
}

// Equal compares two hashes in constant time.
func Equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
