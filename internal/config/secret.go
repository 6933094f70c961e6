package config

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"elsom/internal/checkpoint"
	"elsom/internal/keyedhash"
	"elsom/internal/signature"
)

// Secret is a value that is masked when it is printed, logged or encoded.
type Secret string

const mask = "•••"

// Reveal returns the value unmasked.
func (s Secret) Reveal() string { return string(s) }

// Set reports whether the value is not empty.
func (s Secret) Set() bool { return s != "" }

// String returns the mask, or "" for an empty value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format masks the value under every verb: fmt prints the bare value of a Stringer
// for an unsupported verb.
//
//mutant:drop TestSecretsAreNeverPrinted
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// LogValue masks the value in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the value in JSON and similar encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func checkSecrets(c *Config, problems *Problems) {
	if c.Mode == Development {
		if c.SecretKey == "" {
			c.SecretKey = developmentSecret
		}
		if c.PINPepper == "" {
			c.PINPepper = pepperOf(c.SecretKey)
		}
	}
	keys := []struct {
		variable string
		value    Secret
		optional bool
	}{
		{"ELSOM_SECRET_KEY", c.SecretKey, false}, {"ELSOM_PIN_PEPPER", c.PINPepper, false},
		{"ELSOM_SECRET_KEY_PREVIOUS", c.SecretKeyPrevious, true}, {"ELSOM_PIN_PEPPER_PREVIOUS", c.PINPepperPrevious, true},
	}
	for i, key := range keys {
		if key.optional && !key.value.Set() {
			continue
		}
		checkSecret(key.variable, key.value, problems)
		if c.Mode != Development {
			//mutant:drop TestRefused
			refuseKnown(key.variable, key.value, problems)
		}
		for _, other := range keys[:i] {
			//mutant:drop TestRefused
			if key.value.Set() && key.value == other.value {
				problems.add(key.variable, "must not be the value of %s", other.variable)
			}
		}
	}
}

// checkVAPID requires a P-256 private key in the encoding of `elsom vapid`.
func checkVAPID(key Secret, problems *Problems) {
	if !key.Set() {
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(key.Reveal())
	if err == nil {
		_, err = ecdh.P256().NewPrivateKey(raw)
	}
	if err != nil {
		problems.add("ELSOM_VAPID_KEY", "must be a key printed by `elsom vapid`")
	}
}

func checkSecret(variable string, secret Secret, problems *Problems) {
	switch {
	case secret == "" && problems.has(variable+fileSuffix): // its file can't be used
	case secret == "":
		problems.add(variable, "is required in production")
	case len(secret) < secretBytes:
		problems.add(variable, "has %d bytes, must have %d or more", len(secret), secretBytes)
	case distinct(secret) < secretDistinct:
		problems.add(variable, "repeats a few bytes; generate it, for example with `openssl rand -hex 32`")
	}
}

// distinct returns the number of different bytes.
func distinct(secret Secret) int {
	seen := map[byte]bool{}
	for _, b := range []byte(secret.Reveal()) {
		seen[b] = true
	}
	return len(seen)
}

// refuseKnown rejects the development secrets: they are in the source code.
func refuseKnown(variable string, secret Secret, problems *Problems) {
	if secret == developmentSecret || secret == pepperOf(developmentSecret) {
		problems.add(variable, "is the development value, which is public")
	}
}

const booksKey = "ELSOM_BOOKS_KEY"

// checkBooks checks the books' keys, which development derives from its secret.
func checkBooks(c *Config, in variables, problems *Problems) {
	if c.Development() && c.BooksKey == "" && c.SecretKey.Set() {
		c.BooksKey = derived(c.SecretKey, "elsom books key")
	}
	if _, err := signature.ParseKeys(c.BooksKey.Reveal()); err != nil {
		problems.add(booksKey, "%v", err)
	}
	if c.BooksKey.Set() && (c.BooksKey == c.SecretKey || c.BooksKey == c.PINPepper) {
		problems.add(booksKey, "must be another value than the secret key and the pepper")
	}
	switch in.BooksEnforce {
	case "off":
	case "on":
		if !c.BooksKey.Set() && !problems.has(booksKey+fileSuffix) {
			problems.add("ELSOM_BOOKS_ENFORCE", "needs %s", booksKey)
		}
	default:
		problems.add("ELSOM_BOOKS_ENFORCE", "is %s, must be on or off", quote(in.BooksEnforce))
	}
}

// BooksKeys returns the keys that sign rows; nil if none are set.
func (c *Config) BooksKeys() *signature.Keys {
	keys, _ := signature.ParseKeys(c.BooksKey.Reveal()) // checked by Parse
	return keys
}

const checkpointKey = "ELSOM_CHECKPOINT_KEY"

// checkCheckpoint checks the keys of the log's checkpoints, and sets development's key
// and file.
func checkCheckpoint(c *Config, problems *Problems) {
	if c.Development() {
		if c.CheckpointKey == "" && c.SecretKey.Set() {
			key, _ := checkpoint.DevelopmentKey([]byte(c.SecretKey.Reveal())) // checked below
			c.CheckpointKey = Secret(key)
		}
		if path, ok := strings.CutPrefix(c.DatabaseURL.Reveal(), "sqlite:"); ok && c.CheckpointFile == "" {
			c.CheckpointFile = path + ".checkpoint"
		}
	}
	if _, err := checkpoint.ParseKeys(c.CheckpointKey.Reveal()); err != nil {
		problems.add(checkpointKey, "%v", err)
	}
	//mutant:drop TestRefused
	if known, _ := checkpoint.DevelopmentKey([]byte(developmentSecret)); !c.Development() && strings.Contains(c.CheckpointKey.Reveal(), known) {
		problems.add(checkpointKey, "is the development value, which is public")
	}
}

// CheckpointKeys returns the keys of the log's checkpoints; nil if none are set.
func (c *Config) CheckpointKeys() *checkpoint.Keys {
	keys, _ := checkpoint.ParseKeys(c.CheckpointKey.Reveal()) // checked by Parse
	return keys
}

// pepperOf derives development's PIN pepper from its secret key.
func pepperOf(secret Secret) Secret { return derived(secret, "elsom pin pepper") }

func derived(secret Secret, purpose string) Secret {
	return Secret(keyedhash.New([]byte(secret.Reveal())).Hex(purpose))
}
