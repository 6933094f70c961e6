package customer

import (
	"testing"
	"time"
)

// What a request knows of its customer and session must still be so.
func TestSignedIn(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	end := now.Add(time.Hour)
	for name, change := range map[string]func(c *Customer, s *sessionNow, at *time.Time){
		"nothing":          func(*Customer, *sessionNow, *time.Time) {},
		"not idle yet":     func(_ *Customer, s *sessionNow, _ *time.Time) { s.seenAt = now.Add(-15 * time.Minute) },
		"epoch":            func(c *Customer, _ *sessionNow, _ *time.Time) { c.SessionEpoch++ },
		"level":            func(c *Customer, _ *sessionNow, _ *time.Time) { c.Level = "standard" },
		"mac":              func(c *Customer, _ *sessionNow, _ *time.Time) { c.mac = "another" },
		"key":              func(c *Customer, _ *sessionNow, _ *time.Time) { c.keyID = "another" },
		"language":         func(c *Customer, _ *sessionNow, _ *time.Time) { c.Lang = "ky" },
		"no session":       func(_ *Customer, s *sessionNow, _ *time.Time) { *s = sessionNow{} },
		"renewed":          func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.ID = "another" },
		"ended":            func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.Epoch = -1 },
		"made known":       func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.Known = true },
		"another browser":  func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.Browser = "another" },
		"another end":      func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.EndsAt++ },
		"another customer": func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.CustomerID++ },
		"another mac":      func(_ *Customer, s *sessionNow, _ *time.Time) { s.row.MAC = "another" },
		"idle":             func(_ *Customer, s *sessionNow, _ *time.Time) { s.seenAt = now.Add(-15*time.Minute - 1) },
		"past its end":     func(_ *Customer, s *sessionNow, at *time.Time) { s.seenAt, *at = end, end.Add(1) },
	} {
		c := Customer{ID: 7, SessionEpoch: 3, Level: "basic", Lang: "ru", mac: "mac", keyID: "key"}
		stored := sessionNow{SessionRow{Handle: 9, ID: "hash", CustomerID: 7, Epoch: 3, Browser: "b", EndsAt: end.UnixMicro(), MAC: "m"}, end, now}
		read, at := c, now
		read.Browser = Browser{Session: "9", Row: stored.row, Idle: 15 * time.Minute}
		change(&c, &stored, &at)
		status := Status{map[int64]Customer{7: c}, map[int64]sessionNow{9: stored}}
		want := name == "nothing" || name == "not idle yet"
		if got := status.SignedIn(read, at); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A request without a session is compared by the epoch alone.
func TestSignedInWithoutSession(t *testing.T) {
	c := Customer{ID: 7, SessionEpoch: 3, Level: "basic"}
	now := Status{map[int64]Customer{7: {ID: 7, SessionEpoch: 3, Level: "standard"}}, nil}
	if !now.SignedIn(c, time.Time{}) {
		t.Error("refused")
	}
	c.SessionEpoch = 2
	if now.SignedIn(c, time.Time{}) {
		t.Error("not refused after all sessions were ended")
	}
}
