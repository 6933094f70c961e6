package ledger_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// A posting goes on when its caller gives up; posting it again returns the
// outcome.
func TestPostOfCanceledCallerIsUnknown(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := oneWriter(t, db)
		a := b.wallet(10_00)
		g := block(t, b)
		ctx, cancel := context.WithCancel(context.Background())
		var err error
		g.wg.Go(func() { _, err = b.Post(ctx, between("k", a, b.bank, 4_00)) })
		waitFor(t, func() bool { return b.Waiting() == 1 })
		cancel()
		g.release()
		if !fault.Is(err, fault.Unknown) {
			t.Fatalf("got %v", err)
		}
		receipt, err := b.post("k", a, b.bank, 4_00)
		if err != nil || !receipt.Replayed {
			t.Errorf("the posting did not go on: %+v, %v", receipt, err)
		}
		b.wantBalance(a, 6_00)
		b.wantAuditOK()
	})
}

// Close refuses new postings and finishes the queued ones.
func TestCloseDrains(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := oneWriter(t, db)
		a := b.wallet(10_00)
		g := block(t, b)
		var answers []*answer
		for i := range 10 {
			answers = append(answers, g.queue(between(fmt.Sprint("k", i), a, b.bank, 1_00)))
		}
		closed := make(chan struct{})
		go func() { b.Close(); close(closed) }()
		waitFor(t, b.Closed)
		_, err := b.post("late", a, b.bank, 1_00)
		wantKind(t, err, fault.Unavailable)
		select {
		case <-closed:
			t.Error("closed while postings wait")
		default:
		}
		g.release()
		<-closed
		for _, a := range answers {
			if a.err != nil {
				t.Error(a.err)
			}
		}
		b.wantBalance(a, 0)
		if b.transfers("late") != 0 {
			t.Error("a posting after Close was written")
		}
		b.Close() // again
	})
}

// A full queue refuses at once, and nothing is written.
func TestFullQueueIsUnavailable(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := openBooks(t, db, ledger.Options{Writers: 1, Queue: 2})
		a := b.wallet(10_00)
		g := block(t, b)
		first, second := g.queue(between("1", a, b.bank, 1_00)), g.queue(between("2", a, b.bank, 1_00))
		_, err := b.post("3", a, b.bank, 1_00)
		wantKind(t, err, fault.Unavailable)
		g.release()
		if first.err != nil || second.err != nil {
			t.Error(first.err, second.err)
		}
		if b.transfers("3") != 0 {
			t.Error("it was written")
		}
		b.wantBalance(a, 8_00)
	})
}

// Two ledgers on one database, as in two processes, with the same keys and
// wallets.
func TestTwoProcesses(t *testing.T) {
	for kind, address := range databasetest.Addresses(t) {
		addresses := map[string]string{kind: address}
		if kind == "postgres" {
			addresses["serializable"] = databasetest.Addresses(t)[kind] + "&default_transaction_isolation=serializable"
		}
		for name, address := range addresses {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				twoProcesses(t, address)
			})
		}
	}
}

func twoProcesses(t *testing.T, address string) {
	one, two := databasetest.Reopen(t, address), databasetest.Reopen(t, address)
	if err := one.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	first, second := newBooks(t, one), newBooks(t, two)
	if first.bank != second.bank {
		t.Fatal("two banks")
	}
	const keys = 40
	payer, payee := first.wallet(1000_00), first.wallet(0)
	var wg sync.WaitGroup
	var mu sync.Mutex
	paid := map[string]map[int64]int{} // by key: transfers, and how often each was no replay
	for n := range 8 {
		b := []*books{first, second}[n%2]
		wg.Go(func() {
			for i := range keys {
				key := fmt.Sprint("k", (i+n*5)%keys)
				receipt := postUntilAnswered(t, b, key, payer, payee, 10_00)
				mu.Lock()
				if paid[key] == nil {
					paid[key] = map[int64]int{}
				}
				if !receipt.Replayed {
					paid[key][receipt.Transfer]++
				} else {
					paid[key][receipt.Transfer] += 0
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for key, transfers := range paid {
		for transfer, times := range transfers {
			if len(transfers) != 1 || times > 1 {
				t.Errorf("%s: transfer %d of %d, written %d times", key, transfer, len(transfers), times)
			}
		}
	}
	first.wantBalance(payer, 600_00)
	second.wantBalance(payee, 400_00)
	first.wantAuditOK()
}

// postUntilAnswered posts under the same key until there is an answer.
func postUntilAnswered(t testing.TB, b *books, key string, from, to int64, amount money.Amount) ledger.Receipt {
	t.Helper()
	for range 200 {
		receipt, err := b.post(key, from, to, amount)
		if err == nil {
			return receipt
		}
		if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Unknown) {
			t.Error(key, err)
			return receipt
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error(key, "never answered")
	return ledger.Receipt{}
}

// Cutting connections under load neither loses nor duplicates a transfer.
func TestCutConnectionsDuplicateNothing(t *testing.T) {
	for name, option := range map[string]string{"read committed": "", "serializable": "&default_transaction_isolation=serializable"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := databasetest.Addresses(t)["postgres"]
			db := databasetest.Reopen(t, address+option)
			if err := db.Migrate(context.Background()); err != nil {
				t.Fatal(err)
			}
			b := newBooks(t, db)
			payer, payee := b.wallet(10_000_00), b.wallet(0)
			other := databasetest.Reopen(t, strings.Replace(address, "?", "?application_name=cutter&", 1))
			var wg sync.WaitGroup
			var answered, cut atomic.Int64
			for n := range 4 {
				wg.Go(func() {
					for i := range 40 {
						postUntilAnswered(t, b, fmt.Sprintf("k%d-%d", n, i), payer, payee, 1_00)
						// By progress, not by time: the other three are posting meanwhile.
						if answered.Add(1)%5 == 0 {
							cut.Add(cutConnection(t, other))
						}
					}
				})
			}
			wg.Wait()
			if cut.Load() == 0 {
				t.Error("no connection was cut: the test showed nothing")
			}
			b.wantBalanceEventually(payer, 10_000_00-160_00)
			b.wantBalanceEventually(payee, 160_00)
			if n := b.transfers("k"); n != 160 {
				t.Errorf("%d transfers", n)
			}
			b.wantAuditOK()
		})
	}
}

// cutConnection cuts one connection of the database, drawn at random, and returns
// how many it cut: 0 where none is open.
func cutConnection(t *testing.T, other *database.DB) int64 {
	var n int64
	err := other.Gorm(context.Background()).Raw(`SELECT COUNT(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'elsom' ORDER BY random() LIMIT 1) one`).Scan(&n).Error
	if err != nil {
		t.Error(err)
	}
	return n
}

// wantBalanceEventually is wantBalance for pools whose connections may be cut.
func (b *books) wantBalanceEventually(account int64, want money.Amount) {
	b.t.Helper()
	for range 50 {
		if _, err := b.Balance(context.Background(), account); err == nil {
			break
		}
	}
	b.wantBalance(account, want)
}

// A posting whose commit lost its answer is found under its key, not written
// twice.
func TestLostAnswerOfCommit(t *testing.T) {
	address, err := url.Parse(databasetest.Addresses(t)["postgres"])
	if err != nil {
		t.Fatal(err)
	}
	proxy := newProxy(t, address.Host)
	address.Host = proxy.address
	db := databasetest.Reopen(t, address.String())
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	b := openBooks(t, db, ledger.Options{Writers: 1})
	payer, payee := b.wallet(10_00), b.wallet(0)
	for i, cut := range []breakPoint{afterCommit, beforeCommit} {
		proxy.cutNext(cut)
		receipt, err := b.post(fmt.Sprint("k", i), payer, payee, 3_00)
		if err != nil {
			t.Fatal(err)
		}
		if receipt.Replayed != (cut == afterCommit) {
			t.Errorf("cut %v: replayed %v", cut, receipt.Replayed)
		}
		if !proxy.wasCut() {
			t.Error("nothing was cut: the test showed nothing")
		}
		if n := b.transfers(fmt.Sprint("k", i)); n != 1 {
			t.Errorf("%d transfers", n)
		}
	}
	b.wantBalance(payer, 4_00)
	b.wantBalance(payee, 6_00)
	b.wantAuditOK()
}

// A wallet that is opened while a batch runs has its floor and ceiling checked.
func TestPostToWalletBeingOpened(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		var wg sync.WaitGroup
		for range 30 {
			id := db.NewID()
			wg.Go(func() {
				zero := money.Amount(0)
				err := db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
					return ledger.Open(tx, &ledger.Account{ID: id, Type: ledger.Wallet, Subject: fmt.Sprint(id), Floor: &zero})
				})
				if err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				_, err := b.Post(context.Background(), ledger.Posting{Key: fmt.Sprint("k", id), Op: "test", Entries: []ledger.Entry{
					{Account: b.bank, Amount: -20_00}, {Account: id, Amount: 20_00, Ceiling: 10_00},
				}})
				if !fault.Is(err, fault.Limit) && !fault.Is(err, fault.Internal) { // not open yet
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		b.wantAuditOK()
	})
}

// While a batch is blocked, other batches are written: the write token times out.
func TestBlockedBatchDoesNotStopOthers(t *testing.T) {
	b := newBooks(t, databasetest.Postgres(t))
	a := b.wallet(10_00)
	g := block(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.Post(ctx, between("k", a, b.bank, 4_00)); err != nil {
		t.Fatal(err)
	}
	b.wantBalance(a, 6_00)
	g.release()
	b.wantAuditOK()
}
