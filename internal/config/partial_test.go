package config

import (
	"strings"
	"testing"
)

// Commands that check no PIN run without the pepper, but not without the secret.
func TestParseWithoutPepper(t *testing.T) {
	for _, pepper := range []string{"", "short", testPepper} {
		c, err := ParseWithoutPepper(with("PIN_PEPPER", pepper))
		if err != nil || c.PINPepper.Set() || c.SecretKey.Reveal() != testSecret {
			t.Errorf("%q: %+v, %v", pepper, c, err)
		}
	}
	if _, err := ParseWithoutPepper(with("PIN_PEPPER", "", "SECRET_KEY", "")); err == nil {
		t.Error("ran without the secret")
	}
}

func TestParseVAPIDKey(t *testing.T) {
	const key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
	for value, want := range map[string]string{"": "", "planted": "", key: key} {
		if got := ParseVAPIDKey(map[string]string{"ELSOM_VAPID_KEY": value}); got.Reveal() != want {
			t.Errorf("%q: %q", value, got.Reveal())
		}
	}
}

func TestParseSecretKey(t *testing.T) {
	for value, want := range map[string]string{"": "", testSecret: testSecret, "short": "ELSOM_SECRET_KEY: has 5 bytes"} {
		got, err := ParseSecretKey(map[string]string{"ELSOM_SECRET_KEY": value})
		if err == nil && got.Reveal() != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v", value, got.Reveal(), err)
		}
	}
	if _, err := ParseSecretKey(map[string]string{"ELSOM_SECRET_KEY_FILE": "/nowhere/secret"}); err == nil || !strings.Contains(err.Error(), "/nowhere/secret") {
		t.Error(err)
	}
}
