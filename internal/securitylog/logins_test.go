package securitylog_test

import (
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/securitylog"
	"elsom/internal/testkit/require"
)

func TestLoginsByPages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l, ctx := newLog(t, db, 0), t.Context()
		login := securitylog.Kind{Event: securitylog.Login, Outcome: securitylog.OK}
		for _, device := range []string{"192.0.2.7", "198.51.100.7", "203.0.113.7", "192.0.3.7", "192.0.4.7"} {
			l.Record(from(device, device), securitylog.Entry{Kind: login, Number: number, Wallet: 7})
			l.Record(from(device, device), securitylog.Entry{Kind: securitylog.Kind{Event: securitylog.PIN, Outcome: securitylog.OK}, Number: number})
			l.Record(from(device, device), securitylog.Entry{Kind: login, Number: "+996700123457"})
		}
		var seen []string
		before := int64(0)
		for range 3 {
			list, more, err := l.Logins(from("192.0.4.7", "192.0.4.7"), number, time.Time{}, before, 2)
			require.NoError(t, err)
			for _, e := range list {
				seen = append(seen, e.Network)
				before = e.ID
				if e.Here != (e.Network == "192.0.4.0/24") || e.Event != securitylog.Login {
					t.Errorf("%+v", e)
				}
			}
			if more != (len(seen) < 5) {
				t.Errorf("more after %d: %v", len(seen), more)
			}
		}
		if len(seen) != 5 || seen[0] != "192.0.4.0/24" || seen[4] != "192.0.2.0/24" {
			t.Errorf("seen %q", seen)
		}
		if list, _, err := l.Logins(ctx, number, db.Now().Add(time.Second), 0, 2); err != nil || len(list) != 0 {
			t.Errorf("since a later time: %+v, %v", list, err)
		}
	})
}
