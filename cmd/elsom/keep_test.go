package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
)

// load is money that moves in a running portal: cash into the sender's wallet
// all the time, and transfers of 1 som each from there to the receiver.
type load struct {
	from, to     person
	sender       *reader
	receiver     *reader
	tabs         []*order
	brought, got atomic.Int64 // acknowledged, in tyiyn
	stop         func()
}

const perCash, perTransfer, transfersPerLoad = 1000, 100, 12

func newLoad(t *testing.T, s *site) *load {
	t.Helper()
	l := &load{from: somebody(), to: somebody(), sender: newReader(t, s), receiver: newReader(t, s)}
	signUp(t, s, l.sender, wordsOf[i18n.RU], l.from)
	signUp(t, s, l.receiver, wordsOf[i18n.RU], l.to)
	s.fill(t, l.from.phone, "1000.00")
	l.brought.Add(100000)
	for range transfersPerLoad {
		tab := newReader(t, s)
		tab.client = &http.Client{Jar: l.sender.client.Jar, Timeout: l.sender.client.Timeout}
		tab.open("/transfer")
		tab.fill("phone", l.to.phone)
		tab.fill("amount", "1")
		tab.press("Далее")
		o := &order{tab: tab}
		o.action, o.values = tab.submission(tab.control("Перевести"))
		l.tabs = append(l.tabs, o)
	}
	return l
}

// begin lets the money move until stop; transfers go one after the other.
func (l *load) begin(t *testing.T, s *site) {
	over := make(chan struct{})
	var all sync.WaitGroup
	pause := func() bool {
		select {
		case <-over:
			return false
		case <-time.After(5 * time.Millisecond):
			return true
		}
	}
	all.Go(func() {
		for _, o := range l.tabs {
			if !o.accepted() {
				t.Error("a transfer was not accepted")
				return
			}
			l.got.Add(perTransfer)
			if !pause() {
				return
			}
		}
	})
	for range 2 {
		all.Go(func() {
			for pause() {
				id := fmt.Sprintf("%d%05d", terminalRun, terminalCount.Add(1))
				if told, err := s.terminalRequest("pay", id, l.from.phone, "10.00"); err != nil || told.Result != 0 {
					t.Errorf("cash: %+v, %v", told, err)
					return
				}
				l.brought.Add(perCash)
			}
		})
	}
	l.stop = func() { close(over); all.Wait() }
}

// moves waits until both kinds of money have moved since brought and got were so much.
func (l *load) moves(t *testing.T, brought, got int64) {
	t.Helper()
	for begin := time.Now(); l.brought.Load() <= brought || l.got.Load() <= got; time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("no money moves")
		}
	}
}

// holds wants what was acknowledged before in the books of a restored
// database, and nothing that nobody sent.
func (l *load) holds(t *testing.T, address string, brought, got int64) {
	t.Helper()
	var cash, sent int64
	restored := databasetest.Reopen(t, address)
	if err := restored.Pool().QueryRow("SELECT (SELECT SUM(sum) FROM cash_ins WHERE result = 0), (SELECT SUM(amount) FROM wallet_transfers)").Scan(&cash, &sent); err != nil {
		t.Fatal(err)
	}
	if cash < brought || cash > l.brought.Load() || sent < got || sent > l.got.Load() {
		t.Errorf("restored are %d of cash and %d sent; acknowledged before were %d and %d, in the end %d and %d",
			cash, sent, brought, got, l.brought.Load(), l.got.Load())
	}
	var wallets, least int64 // the receiver has the least
	if err := restored.Pool().QueryRow("SELECT SUM(balance), MIN(balance) FROM accounts WHERE kind = 'wallet'").Scan(&wallets, &least); err != nil {
		t.Fatal(err)
	}
	if wallets != cash || least != sent {
		t.Errorf("the wallets have %d of %d, the receiver has %d of %d", wallets, cash, least, sent)
	}
}

// A running portal is backed up while money moves. What is restored holds by
// audit, has all that was acknowledged before, and serves.
func TestBackupOfARunningPortal(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	l := newLoad(t, s)
	l.begin(t, s)
	l.moves(t, 110000, 300)
	brought, got := l.brought.Load(), l.got.Load()
	file := filepath.Join(t.TempDir(), "kept.db")
	env := []string{"ELSOM_DATABASE_URL=" + s.database}
	if told := operate(t, env, "backup", file); told.code != 0 {
		t.Fatalf("backup: %+v", told)
	}
	l.moves(t, brought, 0)
	l.stop()
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the backup: %v, %v", info, err)
	}
	if told := operate(t, env, "backup", file); told.code == 0 {
		t.Error("the second backup overwrote the first")
	}
	if told := operate(t, env, "restore", file); told.code == 0 || !strings.Contains(told.err, "stop the portal") {
		t.Errorf("a restore beside the portal: %+v", told)
	}
	s.portal.stop(syscall.SIGTERM)
	s.audit(t)

	restored := "sqlite:" + filepath.Join(t.TempDir(), "restored.db")
	if told := operate(t, []string{"ELSOM_DATABASE_URL=" + restored}, "restore", file); told.code != 0 {
		t.Fatalf("restore: %+v", told)
	}
	r := *s
	r.database, r.env = restored, append(s.env[:len(s.env):len(s.env)], "ELSOM_DATABASE_URL="+restored)
	r.audit(t)
	l.holds(t, restored, brought, got)
	r.open(t)
	l.receiver.open("/cabinet")
	if l.receiver.page.Find("[data-balance]").Length() == 0 {
		t.Errorf("who was signed in is not any more: %s", l.receiver.text())
	}
	r.fill(t, l.to.phone, "5.00")
	r.audit(t)
	r.audit(t, "--since=1h")
}

// Looking makes nothing: a wrong path has no database afterwards, and what is
// empty stays so, for a restore. Nobody is told to migrate it.
func TestAuditAndBackupMakeNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "var")
	missing := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(folder, "elsom.db")}
	for _, command := range [][]string{{"audit"}, {"backup", filepath.Join(t.TempDir(), "file")}, {"agent", "list"}} {
		told := operate(t, missing, command...)
		if told.code == 0 || !strings.Contains(told.err, "there is no database at "+folder) || strings.Contains(told.err, "first") {
			t.Errorf("%v: %+v", command, told)
		}
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was made")
	}
	address := databasetest.Addresses(t)["postgres"]
	if told := operate(t, []string{"ELSOM_DATABASE_URL=" + address}, "audit"); told.code != 2 || !strings.Contains(told.err, "empty") || strings.Contains(told.err, "first") {
		t.Errorf("an empty PostgreSQL: %+v", told)
	}
	var tables int
	must(t, databasetest.Reopen(t, address).Pool().QueryRow("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables))
	if tables != 0 {
		t.Errorf("%d tables were made", tables)
	}
}

// An audit that found something ends otherwise than one that could not be made.
func TestAuditEndsWith(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	env := []string{"ELSOM_DATABASE_URL=" + address}
	wants := func(code int, says string) {
		t.Helper()
		if told := operate(t, env, "audit"); told.code != code || !strings.Contains(told.out+told.err, says) {
			t.Errorf("want %d and %q, got %+v", code, says, told)
		}
	}
	wants(2, "no database")
	if told := operate(t, env, "migrate"); told.code != 0 {
		t.Fatal(told.err)
	}
	wants(0, "holds")
	change := func(statement string) {
		t.Helper()
		_, err := databasetest.Reopen(t, address).Pool().Exec(statement)
		must(t, err)
	}
	change("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (1, 'bank', 'odd', 'KGS', 5, '2026-11-22 08:00:00.000001+00:00')")
	wants(1, "audit: ")
	change("DELETE FROM goose_db_version WHERE version_id > 1")
	wants(2, "run `elsom migrate` first")
}

// PostgreSQL's own tools are named to whom the commands don't serve.
func TestBackupNamesPostgresTools(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"backup", "restore"} {
		file := filepath.Join(t.TempDir(), "file")
		told := operate(t, []string{"ELSOM_DATABASE_URL=postgres://elsom:secret@127.0.0.1:1/elsom"}, command, file)
		if told.code == 0 || strings.Contains(told.err, "secret") {
			t.Errorf("%s: %+v", command, told)
		}
		for _, tool := range []string{"pg_dump", "pg_restore", "WAL"} {
			if !strings.Contains(told.err, tool) {
				t.Errorf("%s doesn't name %s: %s", command, tool, told.err)
			}
		}
		if _, err := os.Lstat(file); err == nil {
			t.Errorf("%s left a file", command)
		}
	}
}

// PostgreSQL's own tools do the same, by the commands of `elsom help backup`.
func TestDumpOfARunningPortal(t *testing.T) {
	t.Parallel()
	s := newSite(t, databasetest.Addresses(t)["postgres"], withoutRateLimits)
	l := newLoad(t, s)
	l.begin(t, s)
	l.moves(t, 110000, 300)
	brought, got := l.brought.Load(), l.got.Load()
	file := filepath.Join(t.TempDir(), "kept.dump")
	postgres(t, "pg_dump", "-Fc", "-f", file, s.database)
	l.moves(t, brought, 0)
	l.stop()
	restored := databasetest.Addresses(t)["postgres"]
	postgres(t, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "-d", restored, file)
	for _, address := range []string{s.database, restored} {
		books := site{database: address}
		books.audit(t)
		books.audit(t, "--since=1h")
	}
	l.holds(t, restored, brought, got)
}

// postgres runs one of PostgreSQL's own tools.
func postgres(t *testing.T, tool string, args ...string) {
	t.Helper()
	path, err := databasetest.Binary(tool)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", tool, err, out)
	}
}
