package checkpoint

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"elsom/internal/keyedhash"
)

// Keys sign and verify checkpoints: Ed25519 keys in the form of signed notes. A nil
// *Keys has none.
type Keys struct {
	signer    note.Signer // nil: verify only
	public    string      // of the signer
	verifiers []note.Verifier
}

const (
	privatePrefix = "PRIVATE+KEY+"
	// algorithm is the code of Ed25519 in notes' keys.
	algorithm = 1
	// maxKeys is the largest number of keys.
	maxKeys = 64
	// maxName is the largest length of a key's name.
	maxName = 100
)

// ParseKeys parses keys, one a line: a private key first, which signs, then private
// or earlier public keys, which only verify. If all are public, none signs. Empty
// lines and lines that begin with # are ignored; without any line the result is nil. An
// error never contains a key.
func ParseKeys(text string) (*Keys, error) {
	keys := &Keys{}
	for line := range strings.Lines(text) {
		key := strings.TrimSpace(line)
		if key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		if len(keys.verifiers) == maxKeys {
			return nil, fmt.Errorf("has more than %d keys", maxKeys)
		}
		if err := keys.add(key); err != nil {
			return nil, err
		}
	}
	if len(keys.verifiers) == 0 {
		return nil, nil
	}
	return keys, nil
}

func (k *Keys) add(key string) error {
	public := key
	if strings.HasPrefix(key, privatePrefix) {
		signer, err := note.NewSigner(key)
		if err != nil {
			return errors.New("is not a key printed by `elsom key new --checkpoint`")
		}
		if public, err = publicKey(key); err != nil {
			return err
		}
		if len(k.verifiers) == 0 {
			k.signer, k.public = signer, public
		}
	}
	verifier, err := note.NewVerifier(public)
	//mutant:replace || !goodName(verifier.Name()) => || len(verifier.Name()) > 1<<20 TestParseKeys
	if err != nil || !goodName(verifier.Name()) {
		return errors.New("is not a key printed by `elsom key new --checkpoint`")
	}
	for _, known := range k.verifiers {
		//mutant:drop TestParseKeys
		if known.Name() == verifier.Name() && known.KeyHash() == verifier.KeyHash() {
			return errors.New("has the same key twice")
		}
	}
	k.verifiers = append(k.verifiers, verifier)
	return nil
}

// goodName reports whether a name can be the origin of checkpoints.
func goodName(name string) bool {
	return name != "" && len(name) <= maxName && !strings.Contains(name, branchSuffix) && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '+'
	})
}

// publicKey returns the public key of a private one.
func publicKey(private string) (string, error) {
	parts := strings.SplitN(strings.TrimPrefix(private, privatePrefix), "+", 3)
	if len(parts) != 3 {
		return "", errors.New("is not a key")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", errors.New("is not a key")
	}
	public, _ := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(parts[0], public)
}

// NewKey returns a new private key and its public key. The name is that of the log in
// its checkpoints, such as "wallet.example.kg".
func NewKey(name string) (private, public string, err error) {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails: crypto/rand ends the process instead
	return keyOf(name, seed)
}

func keyOf(name string, seed []byte) (private, public string, err error) {
	if !goodName(name) {
		return "", "", fmt.Errorf("the name must have 1 to %d Latin letters, digits and signs, without spaces, + and %s", maxName, branchSuffix)
	}
	key, _ := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if public, err = note.NewEd25519VerifierKey(name, key); err != nil {
		return "", "", err
	}
	parts := strings.SplitN(public, "+", 3)
	encoded := base64.StdEncoding.EncodeToString(append([]byte{algorithm}, seed...))
	return privatePrefix + name + "+" + parts[1] + "+" + encoded, public, nil
}

// DevelopmentName is the name of the log in development.
const DevelopmentName = "elsom.development"

// DevelopmentKey returns the private key that development derives from its secret.
func DevelopmentKey(secret []byte) (string, error) {
	seed, err := keyedhash.Derive(secret, "elsom log: development's checkpoint key")
	if err != nil {
		return "", err
	}
	private, _, err := keyOf(DevelopmentName, bytes.Clone(seed.Bytes()))
	return private, err
}

// CanSign reports whether there is a key that signs.
func (k *Keys) CanSign() bool { return k != nil && k.signer != nil }

// Public returns the public key of the one that signs; empty if there is none.
func (k *Keys) Public() string {
	if k == nil {
		return ""
	}
	return k.public
}

func (k *Keys) list() note.Verifiers {
	if k == nil {
		return note.VerifierList()
	}
	//mutant:replace k.verifiers... => k.verifiers[0] ./internal/translog TestRotatedKey
	return note.VerifierList(k.verifiers...)
}

// Name returns the name of the key that signs, which is the name of the log.
func (k *Keys) Name() string { return k.signer.Name() }

// String masks the keys in prints.
func (k *Keys) String() string { return "checkpoint keys" }
