package billerlogin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/billerlogin"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

var (
	secret  = []byte("a secret of this test, long enough for a key")
	planted = "p4ssw:rd «Ала-Тоо»"
)

func logins(t *testing.T, db *database.DB, secret []byte) *billerlogin.Logins {
	t.Helper()
	ls, err := billerlogin.New(db, secret)
	if err != nil {
		t.Fatal(err)
	}
	return ls
}

// A login is returned as it was set, is stored encrypted, and is bound to the
// server's key and to its biller.
func TestLoginIsSealed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		ls := logins(t, db, secret)
		if err := ls.Set(ctx, "hoster", "elsom", planted); err != nil {
			t.Fatal(err)
		}
		got, found, err := ls.Of(ctx, "hoster")
		if err != nil || !found || got.User != "elsom" || got.Password != planted {
			t.Errorf("%v, %t, %v", got, found, err)
		}
		if _, found, err := ls.Of(ctx, "aknet"); err != nil || found {
			t.Errorf("another biller's: %t, %v", found, err)
		}
		if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, planted) {
			t.Errorf("printed: %s", text)
		}
		var sealed string
		if err := db.Gorm(ctx).Raw("SELECT biller || username || sealed FROM biller_logins").Scan(&sealed).Error; err != nil || strings.Contains(sealed, "p4ss") {
			t.Errorf("stored as %q, %v", sealed, err)
		}
		if _, _, err := logins(t, db, []byte("another secret, which is long enough too")).Of(ctx, "hoster"); err == nil {
			t.Error("opened with another key")
		}
		if err := db.Gorm(ctx).Exec("UPDATE biller_logins SET biller = 'aknet'").Error; err != nil {
			t.Fatal(err)
		}
		if _, _, err := logins(t, db, secret).Of(ctx, "aknet"); err == nil {
			t.Error("opened for another biller")
		}
	})
}

func TestChangeIsSeen(t *testing.T) {
	var ahead atomic.Int64
	noon := time.Now()
	db := databasetest.SQLite(t, database.WithClock(func() time.Time { return noon.Add(time.Duration(ahead.Load())) }))
	ctx := context.Background()
	ours, theirs := logins(t, db, secret), logins(t, db, secret)
	want := func(password string) {
		t.Helper()
		ahead.Add(int64(time.Second))
		if got, found, err := ours.Of(ctx, "hoster"); err != nil || found != (password != "") || got.Password != password {
			t.Errorf("%v, %t, %v; want %q", got, found, err, password)
		}
	}
	want("")
	for _, password := range []string{"first", "second"} {
		if err := theirs.Set(ctx, "hoster", "elsom", password); err != nil {
			t.Fatal(err)
		}
		want(password)
	}
	for _, there := range []bool{true, false} {
		if removed, err := theirs.Remove(ctx, "hoster"); err != nil || removed != there {
			t.Errorf("removed: %t, %v", removed, err)
		}
		want("")
	}
}

func TestSetRefuses(t *testing.T) {
	db := databasetest.SQLite(t)
	ls := logins(t, db, secret)
	for _, c := range []struct {
		user, password string
		want           error
	}{
		{"", "x", billerlogin.ErrUser}, {"a:b", "x", billerlogin.ErrUser}, {"a\nb", "x", billerlogin.ErrUser},
		{strings.Repeat("a", 101), "x", billerlogin.ErrUser}, {"a", "", billerlogin.ErrPassword},
		{"a", "x\u200by", billerlogin.ErrPassword}, {"a", strings.Repeat("x", 501), billerlogin.ErrPassword}, {"a", "\xff", billerlogin.ErrPassword},
	} {
		if err := ls.Set(context.Background(), "hoster", c.user, c.password); !errors.Is(err, c.want) {
			t.Errorf("%q: %v", c.user, err)
		}
	}
	if all, err := ls.All(context.Background()); err != nil || len(all) != 0 {
		t.Errorf("%d are stored, %v", len(all), err)
	}
}

// Stored passwords must remain readable after an upgrade.
func TestKeyNeverChanges(t *testing.T) {
	db := databasetest.SQLite(t)
	err := db.Gorm(t.Context()).Exec("INSERT INTO biller_logins (biller, username, sealed, set_at) VALUES ('dostek', 'user', ?, ?)",
		"YhumfHzu/5fyk2YV0mPQULo8H3i+kOpdY7mdDAu8cc7k3pzjgA==", db.Now()).Error
	if err != nil {
		t.Fatal(err)
	}
	login, _, err := logins(t, db, []byte("the server's secret")).Of(t.Context(), "dostek")
	if err != nil || login.Password != "pass-word" {
		t.Errorf("%+v, %v", login, err)
	}
}

// A login sealed under the previous secret is read, and sealed under the new one.
func TestLoginIsSealedAnew(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, next := t.Context(), []byte("another secret, which is long enough too")
		with := func(secret []byte, previous ...[]byte) *billerlogin.Logins {
			ls, err := billerlogin.New(db, secret, previous...)
			if err != nil {
				t.Fatal(err)
			}
			return ls
		}
		if err := with(secret).Set(ctx, "hoster", "elsom", planted); err != nil {
			t.Fatal(err)
		}
		rotating := with(next, secret)
		for _, stale := range []int{1, 0} {
			if n, err := rotating.Stale(ctx); err != nil || n != stale {
				t.Errorf("%d stale, %v; want %d", n, err, stale)
			}
			if got, found, err := with(next, secret).Of(ctx, "hoster"); err != nil || !found || got.Password != planted {
				t.Errorf("%v, %t, %v", got, found, err)
			}
		}
		if got, _, err := with(next).Of(ctx, "hoster"); err != nil || got.Password != planted {
			t.Errorf("without the previous secret: %v, %v", got, err)
		}
		// A process that still uses the old secret and accepts the new one reads it too.
		if got, _, err := with(secret, next).Of(ctx, "hoster"); err != nil || got.Password != planted {
			t.Errorf("by the process before: %v, %v", got, err)
		}
	})
}
