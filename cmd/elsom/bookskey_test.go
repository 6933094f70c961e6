package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// state returns the content of the tables that commands of the books write.
func (m *operator) state() string {
	m.t.Helper()
	var all strings.Builder
	for _, table := range []string{
		"operator_log", "agents", "customers", "catalog_versions", "catalog_state", "payment_decisions", "payments", "settlements", "transfers",
		"messages", "log_queue", "server_keys",
	} {
		rows, err := m.db.Pool().Query("SELECT * FROM " + table)
		if err != nil {
			m.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		var lines []string
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				m.t.Fatal(err)
			}
			lines = append(lines, fmt.Sprint(values...))
		}
		if err := rows.Err(); err != nil {
			m.t.Fatal(err)
		}
		_ = rows.Close()
		slices.Sort(lines)
		all.WriteString(table + ":\n" + strings.Join(lines, "\n") + "\n")
	}
	return all.String()
}

// Without the key of the books, or with another one, a command that would sign a row
// changes nothing. Commands that sign nothing need no key, and neither does one whose
// database still permits rows without a signature.
func TestCommandsNeedTheKeyOfTheBooks(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
		m.wallet(77, "+996700123456")
		portal := system.Start(t, "elsom", m.env, "serve")
		portal.WaitHealthy(t, m.base)
		if got := m.pay("till", "1", "450.00"); got != "0" {
			t.Fatalf("result %s", got)
		}
		portal.Stop(syscall.SIGTERM)
		m.payment()
		catalog := filepath.Join(t.TempDir(), "catalog.yaml")
		if err := os.WriteFile(catalog, []byte(strings.Replace(m.run(0, "", "catalog", "export"), "Megacom", "Mega", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		commands := [][]string{
			{"agent", "add", "other", "--ceiling", "500", "--allow", "any"},
			{"agent", "set", "till", "--ceiling", "600"},
			{"agent", "set", "till", "--password"},
			{"agent", "disable", "till"},
			{"gateway", "add", "carrier", "--scope", "ussd", "--allow", "any"},
			append([]string{"customer", "block", "0700123456"}, aigul...),
			append([]string{"customer", "level", "0700123456", "basic"}, aigul...),
			{"catalog", "import", catalog},
			{"catalog", "review", "--staff", "aigul"},
			{"payment", "decide", "123456789015", "refund", "--staff", "aigul", "--reason", "asked", "--evidence", "letter 417"},
			{"settle", "agent", "till", "200", "--reference", "A"},
			{"key", "baseline"},
		}
		databasetest.Tamper(t, m.db, "DELETE FROM unsigned_allowed")
		before := m.state()
		env := m.env
		for key, words := range map[string]string{
			"": "ELSOM_BOOKS_KEY: is not set", "another-books-key-for-tests-of-the-program": "ELSOM_BOOKS_KEY: is not the key of this database",
		} {
			m.env = append(slices.Clone(env), "ELSOM_BOOKS_KEY="+key)
			for _, command := range commands {
				if key == "" && command[0] == "key" {
					m.wantOutput("ELSOM_BOOKS_KEY is not set", 2, "", command...)
					continue
				}
				m.wantOutput("elsom: "+words, 2, "another long password\n", command...)
			}
		}
		if after := m.state(); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
		m.env = append(slices.Clone(env), "ELSOM_BOOKS_KEY=")
		m.run(0, "", append([]string{"sessions", "end", "0700123456"}, aigul...)...)
		m.run(0, "", "operator", "log")
		databasetest.Tamper(t, m.db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		m.run(0, "", "agent", "set", "till", "--ceiling", "600")
		m.env = env
	})
}

// Books whose rows were never signed need no key.
func TestCommandsOnBooksWithoutAKey(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := system.FreeAddress(t)
			m := &operator{t: t, base: "http://" + listen, env: []string{
				system.SecretKey, system.PINPepper, "ELSOM_BOOKS_KEY=", "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address, "ELSOM_DRAIN=0s",
			}}
			m.run(0, "", "migrate")
			m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
			m.run(0, "", "agent", "set", "till", "--ceiling", "600")
			m.serve()
			if !strings.Contains(m.log(), "rows are written without a signature") {
				t.Error("no warning")
			}
			m.run(0, "", "catalog", "review", "--staff", "aigul")
			m.wantOutput("not checked", 0, "", "audit")
			m.env = append(m.env, system.BooksKey, "ELSOM_LISTEN="+system.FreeAddress(t))
			m.wantOutput("run `elsom key baseline`", 2, "", "serve")
			m.env = append(m.env, "ELSOM_DATABASE_URL="+databasetest.OwnerAddress(address))
			m.wantOutput("violations from now on", 0, "", "key", "baseline")
			m.wantOutput("not permitted any more", 1, "", "key", "baseline")
			m.wantOutput("All holds", 0, "", "audit")
		})
	}
}

// A migration without the key of the portal stores no catalog, which the portal would not
// use; the portal does. In development a default is not its key.
func TestMigrateWithoutTheKeyOfThePortal(t *testing.T) {
	t.Parallel()
	addresses := databasetest.EmptyAddresses(t)
	addresses["development"] = "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := system.FreeAddress(t)
			with := []string{"ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address, "ELSOM_DRAIN=0s", system.SecretKey}
			without := []string{"ELSOM_DATABASE_URL=" + address, "ELSOM_BOOKS_KEY="}
			if name == "development" {
				with, without = append(with, "ELSOM_MODE=development", "ELSOM_BOOKS_KEY="), append(without, "ELSOM_MODE=development")
			} else {
				with = append(with, system.PINPepper)
			}
			m := &operator{t: t, base: "http://" + listen, env: without}
			m.wantOutput("elsom serve stores the catalog", 0, "", "migrate")
			m.env = with
			m.serve()
			m.wantOutput("All holds", 0, "", "audit")
			m.wantOutput("dostek", 0, "", "catalog", "export")
		})
	}
}
