// Package signature signs rows that decide where money goes, under a key that is
// not in the database: with access to the database alone, no row can be made or changed
// so that it verifies.
//
// A signature (mac) is an HMAC-SHA-256 over the canonical form of one row (Record)
// and independent of other rows. Canonical forms and macs are stored, so they never
// change for the same row and key. The package neither reads nor writes anything.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"strings"
	"sync"

	"elsom/internal/keyedhash"
)

// The results of Verify.
var (
	// ErrUnsigned reports a row without a mac.
	ErrUnsigned = errors.New("signature: the row is not signed")
	// ErrUnknownKey reports a mac of a key that is not among the keys.
	ErrUnknownKey = errors.New("signature: the row is signed with an unknown key")
	// ErrForged reports a mac that is not the row's: the row was changed, or made by
	// something without the key.
	ErrForged = errors.New("signature: the row is not as it was signed")
)

// Bounds of keys.
const (
	// keyBytes is the smallest length of a key.
	keyBytes = 32
	// keyDistinct is the smallest number of different bytes in a key: 32 random hex
	// digits have fewer once in millions.
	keyDistinct = 8
	// MaxKeys is the largest number of keys.
	MaxKeys = 64
)

// IDLength is the largest length of a key's id.
const IDLength = 12

// baselinePrefix begins the ids of the subkeys that sign earlier rows; see SignBaseline.
const baselinePrefix = "b-"

// Keys are the keys of the books: the first one signs, all verify. No keys (nil)
// sign nothing. It is safe for concurrent use.
type Keys struct {
	ids      []string // of keys, not of subkeys
	signer   *subkey
	baseline *subkey
	byID     map[string]*subkey
	batches  []*subkey // sign what is queued for the log, the first one signs
}

// subkey is a key that is derived for one purpose.
type subkey struct {
	id     string
	hashes sync.Pool // of hash.Hash: a used one has hashed the key already
}

// ParseKeys parses keys, one a line. Empty lines and lines that begin with # are
// ignored. An error names the line and never contains a key. A text without keys is
// no keys (nil).
func ParseKeys(text string) (*Keys, error) {
	var list []string
	number := 0
	for line := range strings.Lines(text) {
		number++
		key := strings.TrimSpace(line)
		if key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		//mutant:drop TestParseKeysRefuses
		if err := checkKey(key); err != nil {
			return nil, fmt.Errorf("line %d %w", number, err)
		}
		list = append(list, key)
	}
	switch {
	case len(list) == 0:
		return nil, nil
	case len(list) > MaxKeys:
		return nil, fmt.Errorf("has %d keys, more than %d", len(list), MaxKeys)
	}
	keys := &Keys{byID: map[string]*subkey{}}
	for _, key := range list {
		if err := keys.add(key); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func checkKey(key string) error {
	distinct := map[byte]bool{}
	for _, b := range []byte(key) {
		distinct[b] = true
	}
	switch {
	case len(key) < keyBytes:
		return fmt.Errorf("has %d bytes, must have %d or more", len(key), keyBytes)
	case strings.ContainsAny(key, " \t"):
		return errors.New("contains a space")
	case len(distinct) < keyDistinct:
		return errors.New("repeats a few bytes; make a key by `elsom key new`")
	}
	return nil
}

func (k *Keys) add(key string) error {
	name, err := keyedhash.Derive([]byte(key), "elsom books: key id")
	if err != nil {
		return err
	}
	id := hex.EncodeToString(name.Bytes()[:4])
	//mutant:drop TestParseKeysRefuses
	if k.byID[id] != nil {
		return errors.New("has the same key twice")
	}
	signer, err := newSubkey(key, id, "elsom books: row")
	if err != nil {
		return err
	}
	baseline, err := newSubkey(key, baselinePrefix+id, "elsom books: row of before")
	if err != nil {
		return err
	}
	batches, err := newSubkey(key, id, "elsom books: batch of the log")
	if err != nil {
		return err
	}
	k.ids, k.batches = append(k.ids, id), append(k.batches, batches)
	k.byID[signer.id], k.byID[baseline.id] = signer, baseline
	if k.signer == nil {
		k.signer, k.baseline = signer, baseline
	}
	return nil
}

func newSubkey(key, id, purpose string) (*subkey, error) {
	derived, err := keyedhash.Derive([]byte(key), purpose)
	if err != nil {
		return nil, err
	}
	return &subkey{id: id, hashes: sync.Pool{New: func() any { return hmac.New(sha256.New, derived.Bytes()) }}}, nil
}

// mac returns the mac of a record.
func (s *subkey) mac(r *Record) []byte {
	h := s.hashes.Get().(hash.Hash)
	defer s.hashes.Put(h)
	h.Reset()
	h.Write(r.Bytes())
	return h.Sum(make([]byte, 0, sha256.Size))
}

// Sign returns the mac of a record under the first key, and the key's id; nil and ""
// without keys.
func (k *Keys) Sign(r *Record) (mac []byte, keyID string) {
	if k == nil {
		return nil, ""
	}
	return k.signer.mac(r), k.signer.id
}

// SignBaseline is Sign for a row that was written before there were keys. It proves
// that the row is as it was found, not that the program wrote it, so it has another
// subkey and another id.
func (k *Keys) SignBaseline(r *Record) (mac []byte, keyID string) {
	if k == nil {
		return nil, ""
	}
	return k.baseline.mac(r), k.baseline.id
}

// IsBaseline reports whether a key's id is that of SignBaseline.
func IsBaseline(keyID string) bool { return strings.HasPrefix(keyID, baselinePrefix) }

// Verify returns nil if mac is the record's under the key with that id, otherwise
// ErrUnsigned, ErrUnknownKey or ErrForged.
func (k *Keys) Verify(r *Record, mac []byte, keyID string) error {
	if len(mac) == 0 && keyID == "" {
		return ErrUnsigned
	}
	if k == nil || k.byID[keyID] == nil {
		return ErrUnknownKey
	}
	//mutant:drop TestVerify
	if !hmac.Equal(k.byID[keyID].mac(r), mac) {
		return ErrForged
	}
	return nil
}

// EndBatch appends to the records of a queue row, a list of AppendItem, the one of kind
// Batch: its id is the row's, its leaf a mac of that id and all records before it. So no
// record is sealed that wasn't queued with a key, nor without the others of its
// transaction. Without keys it returns the list.
func (k *Keys) EndBatch(list []byte, id int64) []byte {
	if k == nil {
		return list
	}
	return k.batches[0].batch(binary.BigEndian.AppendUint64(append(list, Batch.Code()), uint64(id)))
}

// IsBatch reports whether a list is one that EndBatch has ended for a queue row, under any
// of the keys.
func (k *Keys) IsBatch(list []byte, id int64) bool {
	if k == nil || len(list) == 0 || len(list)%ItemSize != 0 {
		return false
	}
	signed := len(list) - sha256.Size
	//mutant:drop TestBatch
	if list[len(list)-ItemSize] != Batch.Code() || int64(binary.BigEndian.Uint64(list[signed-8:])) != id {
		return false
	}
	for _, key := range k.batches {
		//mutant:replace hmac.Equal(key.batch(list[:signed:signed])[signed:], list[signed:]) => key != nil TestBatch
		if hmac.Equal(key.batch(list[:signed:signed])[signed:], list[signed:]) {
			return true
		}
	}
	return false
}

// batch appends the mac of a list to it.
func (s *subkey) batch(list []byte) []byte {
	h := s.hashes.Get().(hash.Hash)
	defer s.hashes.Put(h)
	h.Reset()
	h.Write(list)
	return h.Sum(list)
}

// IDs returns the ids of the keys, the signing one first.
func (k *Keys) IDs() []string {
	if k == nil {
		return nil
	}
	return k.ids
}

// String masks the keys in prints.
func (k *Keys) String() string { return fmt.Sprintf("%d keys", len(k.IDs())) }

// Format masks the keys under every verb.
func (k *Keys) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, k.String()) }

// LogValue masks the keys in logs.
func (k *Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }
