package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// TestColumnsAddedWhileServing adds columns to every table under load and changes the order of
// keys, as the next release does: no statement selects *, and an outdated prepared
// statement is prepared again.
func TestColumnsAddedWhileServing(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newScenario(t, address, 1, 2)
			d.useEverything(t, 0)
			ctx, stop := context.WithCancel(context.Background())
			var load sync.WaitGroup
			var rounds atomic.Int64
			for range 2 {
				load.Go(func() {
					for ctx.Err() == nil {
						d.useEverything(t, int(rounds.Add(1)))
					}
				})
			}
			list := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
			if name == "postgres" {
				list = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
			}
			owner := databasetest.Owner(t, d.books)
			var tables []string
			if err := d.books.Gorm(ctx).Raw(list).Scan(&tables).Error; err != nil || len(tables) < 20 {
				t.Errorf("%d tables, %v", len(tables), err)
			}
			for _, table := range tables {
				if _, err := owner.Pool().Exec("ALTER TABLE " + table + " ADD COLUMN added_later BIGINT"); err != nil {
					t.Errorf("%s: %v", table, err)
				}
				time.Sleep(50 * time.Millisecond)
			}
			if name == "postgres" { // results with another order have another type
				for _, collation := range []string{`"default"`, `"C"`} {
					for _, key := range []string{"transfers ALTER request_key TYPE VARCHAR(120)", "promises ALTER key TYPE VARCHAR(120)",
						"messages ALTER phone TYPE VARCHAR(16)", "sessions ALTER id TYPE VARCHAR(64)", "dialogues ALTER id TYPE VARCHAR(43)"} {
						if _, err := owner.Pool().Exec("ALTER TABLE " + key + " COLLATE " + collation); err != nil {
							t.Errorf("%s: %v", key, err)
						}
						time.Sleep(50 * time.Millisecond)
					}
				}
			}
			for before := rounds.Load(); rounds.Load() < before+3; time.Sleep(20 * time.Millisecond) {
			}
			stop()
			load.Wait()
			d.waitEnded()
			for _, table := range tables { // columns of nobody's are a violation
				if _, err := owner.Pool().Exec("ALTER TABLE " + table + " DROP COLUMN added_later"); err != nil {
					t.Errorf("%s: %v", table, err)
				}
			}
			d.compareBooks()
			d.report("%d columns added within %d rounds; %s", len(tables), rounds.Load(), d.summary())
		})
	}
}

// useEverything uses all pages and operations once; none may fail.
func (d *scenario) useEverything(t *testing.T, round int) {
	c := d.customers[round%len(d.customers)]
	for _, path := range []string{"/cabinet", "/history", "/settings", "/services", "/pay/dostek", "/messages"} {
		answer, err := c.client.Get(d.BaseURL + path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", path, answer.StatusCode)
		}
	}
	a, err := d.draft(d.Site, c)
	if err != nil {
		t.Error(err)
		return
	}
	if d.press(d.Site, a) != gotAccepted {
		t.Errorf("a payment: %v", a.answers)
	}
	d.cashIn(c, 100)
	session := fmt.Sprintf("columns%d", round)
	for _, text := range []string{"", "2"} {
		if status, screen, err := d.PostUSSD(session, unknownPhone, text); err != nil || status != http.StatusOK || !strings.HasPrefix(screen, "CON ") {
			t.Errorf("*900# %q: %d %s %v", text, status, screen, err)
		}
	}
	system.SignUp(t, d.Site, system.NewClient(t, d.Site), system.WordsOf["ru"], system.NewPerson())
}
