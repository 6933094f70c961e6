package bench_test

import (
	"flag"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

var countedMany = flag.Int("counted", 20_000, "how many transfers TestCountingIsKilled has in wallets that are not counted")

// The wallets of an earlier release are counted by a portal that is killed several times
// meanwhile, while their holders pay: each start goes on where the last one was, no
// payment is lost, and the audit holds.
func TestCountingIsKilled(t *testing.T) {
	const kills, payersOf = 4, 10
	address := databasetest.Addresses(t)["postgres"]
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + address}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	db := databasetest.Reopen(t, address, database.WithKeys(booksKeys(), false))
	wallets, _, _ := newWallets(t, db, min(max(2000, *countedMany/1000), 10_000))
	begin := time.Now()
	newPast(t, db).pay(wallets, *countedMany/2/len(wallets)) // changes the balances, and not the sums
	seal(t, db)
	t.Logf("filled with %s transfers of %s wallets in %.0f s", formatThousands(*countedMany), formatThousands(len(wallets)), time.Since(begin).Seconds())

	s := &benchServer{b: t, secret: secret(), pepper: secret()}
	m := &runner{b: t, server: s}
	bdb := m.openAt("counting", address)
	t.Cleanup(m.close)
	payers, _ := createSessions(t, db, s.secret, wallets[:payersOf], 0)
	queue := &drafts{list: bdb.newDrafts(5_000+*countedMany/100, func() payer { return payers[rand.IntN(len(payers))] })}
	left := bdb.notCounted()
	if left != len(wallets) {
		t.Fatalf("%d of %d wallets are not counted", left, len(wallets))
	}
	listen, biller := system.FreeAddress(t), instant(t)
	start := func() *system.Program {
		return system.Start(t, "elsom", []string{
			"ELSOM_LISTEN=" + listen, "ELSOM_DRAIN=0s", "ELSOM_DATABASE_URL=" + address, "ELSOM_DOSTEK_URL=" + biller,
			"ELSOM_SECRET_KEY=" + s.secret, "ELSOM_PIN_PEPPER=" + s.pepper,
		}, "serve")
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() { bdb.payUntil(stop, queue, listen) })
	}
	begin = time.Now()
	for range kills {
		p, paid := start(), bdb.payments.Load()
		enough := left - payersOf - 20*(1+rand.IntN(5)) // payments count their payers, the worker the others
		for ; left > enough || bdb.payments.Load() == paid; left = bdb.notCounted() {
			time.Sleep(2 * time.Millisecond)
		}
		require.NoError(t, p.Cmd.Process.Kill())
		<-p.Done
		left = bdb.notCounted()
		t.Logf("killed: %d wallets are not counted, %d payments are accepted", left, bdb.payments.Load()-paid)
		if left == 0 {
			t.Fatal("all wallets are counted already")
		}
	}
	last := start()
	for ; bdb.notCounted() > 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begin) > 30*time.Minute {
			t.Fatalf("%d wallets are still not counted", bdb.notCounted())
		}
	}
	t.Logf("counted in %.1f s", time.Since(begin).Seconds())
	close(stop)
	clients.Wait()
	last.Stop(syscall.SIGTERM)
	if p := bdb.verify(); !p.ok || p.short != "" {
		t.Errorf("%s%s", p.short, p.output)
	}
}

// payUntil pays drafts one after the other, each until it has an answer.
func (bdb *benchDB) payUntil(stop chan struct{}, queue *drafts, host string) {
	w := connection{host: host}
	defer w.close()
	for {
		select {
		case <-stop:
			return
		case <-time.After(10 * time.Millisecond):
		}
		if bdb.pay(queue, &w) == over {
			return
		}
	}
}

// notCounted returns the number of wallets that are not counted.
func (bdb *benchDB) notCounted() (n int) {
	bdb.m.b.Helper()
	require.NoError(bdb.m.b, bdb.db.Pool().QueryRow("SELECT COUNT(*) FROM accounts WHERE kind = 'wallet' AND moves IS NULL").Scan(&n))
	return n
}
