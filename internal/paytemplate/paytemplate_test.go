package paytemplate_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/paytemplate"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func of(holder int64, identifier string) paytemplate.Template {
	return paytemplate.Template{CustomerID: holder, Service: "dostek", Identifier: identifier, Payee: "ОсОО «Ак-Булут»"}
}

// save stores a template of an identifier with a name.
func save(t *testing.T, templates *paytemplate.Templates, holder int64, identifier, name string) paytemplate.Template {
	t.Helper()
	saved, made, err := templates.Save(t.Context(), of(holder, identifier), paytemplate.Typed{Name: name})
	if require.NoError(t, err); !made {
		t.Fatalf("%s was there already", name)
	}
	return saved
}

func names(t *testing.T, templates *paytemplate.Templates, holder int64) string {
	t.Helper()
	var all []string
	for _, one := range require.Value(templates.List(t.Context(), holder))(t) {
		all = append(all, one.Name)
	}
	return strings.Join(all, " ")
}

func TestOneTemplateForAnAccount(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		templates, holder := paytemplate.New(db), testkit.New(t, db, testkit.Options{}).NewCustomer(0).ID
		first := save(t, templates, holder, "1", "Отчёты")
		again, made, err := templates.Save(t.Context(), of(holder, "1"), paytemplate.Typed{Name: "Другое", Amount: "5"})
		if require.NoError(t, err); made || again.ID != first.ID || again.Name != "Отчёты" {
			t.Errorf("saved again: %v, %+v", made, again)
		}
		other := of(holder, "1")
		other.Service = "hoster"
		if _, made, err := templates.Save(t.Context(), other, paytemplate.Typed{Name: "Хостинг"}); err != nil || !made {
			t.Errorf("of another service: %v, %v", made, err)
		}
		if got := names(t, templates, holder); got != "Отчёты Хостинг" {
			t.Errorf("the list is %q", got)
		}
	})
}

func TestTemplatesOfAWalletAreBounded(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		app := testkit.New(t, db, testkit.Options{})
		templates, holder, other := paytemplate.New(db), app.NewCustomer(0).ID, app.NewCustomer(0).ID
		for i := range paytemplate.Max {
			save(t, templates, holder, strconv.Itoa(i), "N"+strconv.Itoa(i))
		}
		_, _, err := templates.Save(t.Context(), of(holder, "more"), paytemplate.Typed{Name: "N"})
		if !fault.Is(err, fault.Limit) || fault.As(err).Reason != "template.too_many" {
			t.Errorf("one more: %v", err)
		}
		save(t, templates, other, "1", "N") // another wallet's don't count
		require.NoError(t, templates.Delete(t.Context(), holder, require.Value(templates.List(t.Context(), holder))(t)[0].ID))
		save(t, templates, holder, "more", "N")
	})
}

// Saves of one wallet come one after the other: they keep the bound, and one account's
// second is found.
func TestConcurrentSaves(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		templates, holder := paytemplate.New(db), testkit.New(t, db, testkit.Options{}).NewCustomer(0).ID
		for i := range paytemplate.Max - 1 {
			save(t, templates, holder, strconv.Itoa(i), "N")
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		saved := 0
		for i := range 8 {
			all.Go(func() {
				_, made, err := templates.Save(t.Context(), of(holder, "at once "+strconv.Itoa(i%4)), paytemplate.Typed{Name: "N"})
				if err != nil && !fault.Is(err, fault.Limit) {
					t.Error(err)
				}
				if mu.Lock(); made && err == nil {
					saved++
				}
				mu.Unlock()
			})
		}
		all.Wait()
		if n := len(require.Value(templates.List(t.Context(), holder))(t)); n != paytemplate.Max || saved != 1 {
			t.Errorf("%d templates, %d saved at once", n, saved)
		}
	})
}

// A save waits for another one of the wallet; SQLite has one writer.
func TestSavesWaitForEachOther(t *testing.T) {
	db := databasetest.Postgres(t)
	templates, holder := paytemplate.New(db), testkit.New(t, db, testkit.Options{}).NewCustomer(0).ID
	other := require.Value(db.Pool().BeginTx(t.Context(), nil))(t)
	_, err := other.ExecContext(t.Context(), "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE", holder)
	require.NoError(t, err)
	saved := make(chan error, 1)
	go func() {
		_, _, err := templates.Save(context.WithoutCancel(t.Context()), of(holder, "1"), paytemplate.Typed{Name: "N"})
		saved <- err
	}()
	select {
	case err := <-saved:
		t.Errorf("it didn't wait: %v", err)
		saved <- err
	case <-time.After(500 * time.Millisecond):
	}
	require.NoError(t, other.Rollback())
	require.NoError(t, <-saved)
}

// Lists of several wallets are read by one statement, and each gets its own.
func TestTemplatesOfOthersInOneStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		app, templates := testkit.New(t, db, testkit.Options{}), paytemplate.New(db)
		holders := make([]int64, 8)
		for i := range holders {
			holders[i] = app.NewCustomer(0).ID
			save(t, templates, holders[i], "1", "of "+strconv.FormatInt(holders[i], 10))
		}
		var all sync.WaitGroup
		for range 20 {
			for _, holder := range holders {
				all.Go(func() {
					list, err := templates.List(t.Context(), holder)
					if err != nil || len(list) != 1 || list[0].CustomerID != holder {
						t.Errorf("%d has %+v, %v", holder, list, err)
					}
				})
			}
		}
		all.Wait()
	})
}

func TestTypedTemplates(t *testing.T) {
	db := databasetest.SQLite(t)
	templates, holder := paytemplate.New(db), testkit.New(t, db, testkit.Options{}).NewCustomer(0).ID
	for name, c := range map[string]struct {
		typed paytemplate.Typed
		want  string // the name, or the reasons
		sum   money.Amount
	}{
		"emoji":        {paytemplate.Typed{Name: " Отчёты 🧾 ", Amount: "1 240,50"}, "Отчёты 🧾", 1240_50},
		"Kyrgyz":       {paytemplate.Typed{Name: "Ңөү\u00a0ҮӨҢ"}, "Ңөү ҮӨҢ", 0},
		"invisible":    {paytemplate.Typed{Name: "\u200bа\u202eб", Amount: " "}, "аб", 0},
		"the longest":  {paytemplate.Typed{Name: strings.Repeat("ң", 60)}, strings.Repeat("ң", 60), 0},
		"long":         {paytemplate.Typed{Name: strings.Repeat("ң", 61)}, "template.name_long", 0},
		"empty":        {paytemplate.Typed{Name: "\u200b ", Amount: "0"}, "template.name_empty payment.amount_zero", 0},
		"not UTF-8":    {paytemplate.Typed{Name: "a\xff"}, "template.name_form", 0},
		"control":      {paytemplate.Typed{Name: "a\x00b"}, "template.name_form", 0},
		"wrong amount": {paytemplate.Typed{Name: "a", Amount: "1.234"}, "payment.amount_decimals", 0},
	} {
		saved, _, err := templates.Save(t.Context(), of(holder, name), c.typed)
		got := saved.Name
		if err != nil {
			var reasons []string
			for _, f := range fault.All(err) {
				reasons = append(reasons, string(f.Reason))
			}
			got = strings.Join(reasons, " ")
		}
		if got != c.want || saved.Amount != c.sum {
			t.Errorf("%s: %q, %d", name, got, saved.Amount)
		}
	}
}

func TestTemplatesMove(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		app := testkit.New(t, db, testkit.Options{})
		templates, holder := paytemplate.New(db), app.NewCustomer(0).ID
		ids := map[string]int64{}
		for _, name := range []string{"a", "b", "c", "d"} {
			ids[name] = save(t, templates, holder, name, name).ID
		}
		for _, c := range []struct{ name, to, want string }{
			{"d", "1", "d a b c"}, {"d", "4", "a b c d"}, {"b", "3", "a c b d"}, {"a", " 1 ", "a c b d"},
		} {
			require.NoError(t, templates.Change(t.Context(), holder, ids[c.name], paytemplate.Typed{Name: c.name, Position: c.to}))
			if got := names(t, templates, holder); got != c.want {
				t.Errorf("%s to %s: %s, want %s", c.name, c.to, got, c.want)
			}
		}
		for _, to := range []string{"", "0", "5", "-1", "x", "99999999999999999999"} {
			err := templates.Change(t.Context(), holder, ids["a"], paytemplate.Typed{Name: "a", Position: to})
			if !fault.Is(err, fault.Invalid) || fault.As(err).Field != "position" {
				t.Errorf("to %q: %v", to, err)
			}
		}
		require.NoError(t, templates.Delete(t.Context(), holder, ids["c"]))
		require.NoError(t, templates.Delete(t.Context(), holder, ids["c"]))
		save(t, templates, holder, "e", "e")
		if got := names(t, templates, holder); got != "a b d e" {
			t.Errorf("after a deletion: %s", got)
		}
		if err := templates.Change(t.Context(), app.NewCustomer(0).ID, ids["a"], paytemplate.Typed{Name: "x", Position: "1"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("another wallet changes it: %v", err)
		}
	})
}

func TestMatching(t *testing.T) {
	list := []paytemplate.Template{
		{ID: 1, Name: "Отчёты", Payee: "ОсОО «Ак-Булут Трейд»", Identifier: "00207199610017"}, {ID: 2, Name: "Мама", Identifier: "20451"},
	}
	for query, want := range map[string]int64{"булут отч": 1, "0020 7199 61": 1, "МАМА": 2, "204-51": 2} {
		if found := paytemplate.Matching(list, query); len(found) != 1 || found[0].ID != want {
			t.Errorf("%q finds %+v", query, found)
		}
	}
	if all, none := paytemplate.Matching(list, " "), paytemplate.Matching(list, "булут мама"); len(all) != 2 || len(none) != 0 {
		t.Errorf("an empty query finds %d, one of two templates' words %d", len(all), len(none))
	}
}

// The templates of a closed wallet are deleted, those of others stay.
func TestPurge(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		app := testkit.New(t, db, testkit.Options{})
		templates, closed, open := paytemplate.New(db), app.NewCustomer(0), app.NewCustomer(0)
		save(t, templates, closed.ID, "1", "a")
		save(t, templates, open.ID, "1", "b")
		databasetest.TamperAll(t, db, "UPDATE customers SET closed_at = created_at, closed_phone = phone, phone = '~1' WHERE id = "+strconv.FormatInt(closed.ID, 10))
		if n := require.Value(templates.Purge(t.Context()))(t); n != 1 || names(t, templates, open.ID) != "b" || names(t, templates, closed.ID) != "" {
			t.Errorf("%d deleted", n)
		}
	})
}
