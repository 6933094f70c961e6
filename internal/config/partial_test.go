package config

import "testing"

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
