package e2e_test

import (
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
	"elsom/internal/testkit/system"
)

// load is continuous cash-ins into the sender's wallet, and transfers of 1 som each
// from there to the receiver.
type load struct {
	from, to     system.Person
	sender       *system.Client
	receiver     *system.Client
	tabs         []*system.Submission
	brought, got atomic.Int64 // acknowledged, in tyiyn
	stop         func()
}

const perCash, perTransfer, transfersPerLoad = 1000, 100, 12

func newLoad(t *testing.T, s *system.Site) *load {
	t.Helper()
	l := &load{from: system.NewPerson(), to: system.NewPerson(), sender: system.NewClient(t, s), receiver: system.NewClient(t, s)}
	system.SignUp(t, s, l.sender, system.WordsOf[i18n.RU], l.from)
	system.SignUp(t, s, l.receiver, system.WordsOf[i18n.RU], l.to)
	s.CashIn(t, l.from.Phone, "1000.00")
	l.brought.Add(100000)
	for range transfersPerLoad {
		tab := system.NewClient(t, s)
		tab.HTTP = &http.Client{Jar: l.sender.HTTP.Jar, Timeout: l.sender.HTTP.Timeout}
		tab.Open("/transfer")
		tab.Fill("phone", l.to.Phone)
		tab.Fill("amount", "1")
		tab.Press("Далее")
		o := &system.Submission{Client: tab}
		o.Action, o.Values = tab.Submission(tab.Control("Перевести"))
		l.tabs = append(l.tabs, o)
	}
	return l
}

// begin runs the load until stop. Transfers are made one after the other.
func (l *load) begin(t *testing.T, s *system.Site) {
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
			if !o.Accepted() {
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
				id := system.NewTxnID()
				if out, err := s.TerminalRequest("pay", id, l.from.Phone, "10.00"); err != nil || out.Result != 0 {
					t.Errorf("cash: %+v, %v", out, err)
					return
				}
				l.brought.Add(perCash)
			}
		})
	}
	l.stop = func() { close(over); all.Wait() }
}

// moves waits until more than brought has come in and more than got was transferred.
func (l *load) moves(t *testing.T, brought, got int64) {
	t.Helper()
	for begin := time.Now(); l.brought.Load() <= brought || l.got.Load() <= got; time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("the load makes no progress")
		}
	}
}

// checkRestored checks that a restored database has the cash-ins and transfers
// acknowledged before the backup, and none that was not sent.
func (l *load) checkRestored(t *testing.T, address string, brought, got int64) {
	t.Helper()
	var cash, sent int64
	restored := databasetest.Reopen(t, address)
	if err := restored.Pool().QueryRow("SELECT (SELECT SUM(sum) FROM cash_ins WHERE result = 0), (SELECT SUM(amount) FROM wallet_transfers)").Scan(&cash, &sent); err != nil {
		t.Fatal(err)
	}
	if cash < brought || cash > l.brought.Load() || sent < got || sent > l.got.Load() {
		t.Errorf("restored: cash %d, transfers %d; acknowledged before the backup: %d and %d, at the end: %d and %d",
			cash, sent, brought, got, l.brought.Load(), l.got.Load())
	}
	var wallets, least int64 // the receiver has the least
	if err := restored.Pool().QueryRow("SELECT SUM(balance), MIN(balance) FROM accounts WHERE kind = 'wallet'").Scan(&wallets, &least); err != nil {
		t.Fatal(err)
	}
	if wallets != cash || least != sent {
		t.Errorf("the wallets have %d, want %d; the receiver has %d, want %d", wallets, cash, least, sent)
	}
}

// A portal is backed up under load. The restored database passes the audit, has all
// that was acknowledged before, and can be served.
func TestBackupWhileServing(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	l := newLoad(t, s)
	l.begin(t, s)
	l.moves(t, 110000, 300)
	brought, got := l.brought.Load(), l.got.Load()
	file := filepath.Join(t.TempDir(), "kept.db")
	env := []string{"ELSOM_DATABASE_URL=" + s.Database}
	if out := system.Run(t, env, "backup", file); out.Code != 0 {
		t.Fatalf("backup: %+v", out)
	}
	l.moves(t, brought, 0)
	l.stop()
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the backup: %v, %v", info, err)
	}
	if out := system.Run(t, env, "backup", file); out.Code == 0 {
		t.Error("the second backup overwrote the first")
	}
	if out := system.Run(t, env, "restore", file); out.Code == 0 || !strings.Contains(out.Stderr, "stop the portal") {
		t.Errorf("a restore beside the portal: %+v", out)
	}
	s.Portal.Stop(syscall.SIGTERM)
	s.Audit(t)

	restored := "sqlite:" + filepath.Join(t.TempDir(), "restored.db")
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + restored}, "restore", file); out.Code != 0 {
		t.Fatalf("restore: %+v", out)
	}
	r := *s
	r.Database, r.Env = restored, append(s.Env[:len(s.Env):len(s.Env)], "ELSOM_DATABASE_URL="+restored)
	r.Audit(t)
	l.checkRestored(t, restored, brought, got)
	r.Start(t)
	l.receiver.Open("/cabinet")
	if l.receiver.Document.Find("[data-balance]").Length() == 0 {
		t.Errorf("the session is lost: %s", l.receiver.Text())
	}
	r.CashIn(t, l.to.Phone, "5.00")
	r.Audit(t)
	r.Audit(t, "--since=1h")
}

// The same with pg_dump and pg_restore, as in `elsom help backup`.
func TestDumpWhileServing(t *testing.T) {
	t.Parallel()
	s := system.NewSite(t, databasetest.Addresses(t)["postgres"], system.WithoutRateLimits)
	l := newLoad(t, s)
	l.begin(t, s)
	l.moves(t, 110000, 300)
	brought, got := l.brought.Load(), l.got.Load()
	file := filepath.Join(t.TempDir(), "kept.dump")
	postgres(t, "pg_dump", "-Fc", "-f", file, databasetest.OwnerAddress(s.Database))
	l.moves(t, brought, 0)
	l.stop()
	restored := databasetest.EmptyAddresses(t)["postgres"]
	postgres(t, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "-d", restored, file)
	// Default rights of the new tables go beyond those of some.
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + restored}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	restored = databasetest.ServingAddress(restored)
	for _, address := range []string{s.Database, restored} {
		books := system.Site{Database: address}
		books.Audit(t)
		books.Audit(t, "--since=1h")
	}
	l.checkRestored(t, restored, brought, got)
}

// postgres runs a tool of PostgreSQL.
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
