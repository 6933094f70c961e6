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
	"strings"
)

// Key is the key of hashes for one purpose.
type Key []byte

// Derive derives the key for a purpose from the server's secret, by HKDF without
// salt. It returns an error only if FIPS mode refuses the secret as too short.
func Derive(secret []byte, purpose string) (Key, error) {
	return hkdf.Key(sha256.New, secret, nil, purpose, sha256.Size)
}

// Hex returns the hash of a text as 64 hexadecimal digits.
func (k Key) Hex(text string) string {
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// Sum returns the hash of several texts as Hex does. Each text is preceded by its
// length, so that different lists never have the same input.
func (k Key) Sum(texts ...string) string {
	var all strings.Builder
	for _, text := range texts {
		all.WriteString(strconv.Itoa(len(text)) + ":" + text)
	}
	return k.Hex(all.String())
}

// Equal compares two hashes in constant time.
func Equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
