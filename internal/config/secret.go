package config

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that never shows itself: every way of printing, logging
// or encoding it gives a mask. Reveal hands it to the part that needs it.
type Secret string

const mask = "•••"

// Reveal gives the value itself.
func (s Secret) Reveal() string { return string(s) }

// Set tells whether there is a value at all.
func (s Secret) Set() bool { return s != "" }

// String gives the mask, or nothing where nothing is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format masks the value under every verb: the package fmt prints the bare
// value of a Stringer when the verb is a wrong one.
//
//mutant:drop TestSecretsAreNeverPrinted
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// LogValue masks the value in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the value in JSON and its like.
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
	checkSecret("ELSOM_SECRET_KEY", c.SecretKey, problems)
	checkSecret("ELSOM_PIN_PEPPER", c.PINPepper, problems)
	if c.Mode != Development {
		//mutant:drop TestRefused
		refuseKnown("ELSOM_SECRET_KEY", c.SecretKey, problems)
		refuseKnown("ELSOM_PIN_PEPPER", c.PINPepper, problems)
	}
	if c.PINPepper.Set() && c.PINPepper == c.SecretKey {
		problems.add("ELSOM_PIN_PEPPER", "must not be the secret key")
	}
}

// checkVAPID wants a private key of P-256, as `elsom vapid` draws it.
func checkVAPID(key Secret, problems *Problems) {
	if !key.Set() {
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(key.Reveal())
	if err == nil {
		_, err = ecdh.P256().NewPrivateKey(raw)
	}
	if err != nil {
		problems.add("ELSOM_VAPID_KEY", "must be what `elsom vapid` prints")
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
		problems.add(variable, "repeats a few bytes; draw it, by `openssl rand -hex 32` for one")
	}
}

func distinct(secret Secret) int {
	seen := map[byte]bool{}
	for _, b := range []byte(secret.Reveal()) {
		seen[b] = true
	}
	return len(seen)
}

// refuseKnown keeps the secrets that stand in the source out of production.
func refuseKnown(variable string, secret Secret, problems *Problems) {
	if secret == developmentSecret || secret == pepperOf(developmentSecret) {
		problems.add(variable, "is development's, which all the world knows")
	}
}

func pepperOf(secret Secret) Secret {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("elsom pin pepper"))
	return Secret(hex.EncodeToString(mac.Sum(nil)))
}
