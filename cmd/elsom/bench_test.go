package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/outbox"
)

// The yardstick is PostgreSQL's own pgbench on the same server in the same
// minutes, since figures of one machine mean little on another.
const (
	benchWallets = 10_000
	benchCallers = 32
	benchScale   = 50
	benchRounds  = 3
	benchSeconds = 10
	benchLeast   = 3.0
)

// bench is one PostgreSQL with stock durability and two databases on it.
type bench struct {
	b       *testing.B
	server  *databasetest.PostgresServer
	address string
	books   *ledger.Ledger
	db      *database.DB
	biller  int64
	wallets []int64
	drawn   atomic.Int64 // request keys
}

// BenchmarkTransfersToOneBiller prints the ledger's transfers from 10,000
// wallets to one biller at 32 callers as a ratio to pgbench's TPC-B-like
// transactions with 32 clients, then what the audit says of the books.
func BenchmarkTransfersToOneBiller(b *testing.B) {
	e := newBench(b)
	defer e.books.Close()
	var ratios, withPromise []float64
	say("%d cores, %d callers, %d wallets, rounds of %d s, a second:\n", runtime.NumCPU(), benchCallers, benchWallets, benchSeconds)
	say("%-8s %12s %22s %8s %22s %8s\n", "round", "pgbench", "transfers (p99 ms)", "ratio", "with a promise each", "ratio")
	for round := range benchRounds {
		yardstick := e.pgbench()
		bare, barep99 := e.transfers(false)
		promised, promisedp99 := e.transfers(true)
		ratios, withPromise = append(ratios, bare/yardstick), append(withPromise, promised/yardstick)
		say("%-8d %12.0f %14.0f (%5.1f) %8.2f %14.0f (%5.1f) %8.2f\n", round+1, yardstick,
			bare, milliseconds(barep99), bare/yardstick, promised, milliseconds(promisedp99), promised/yardstick)
	}
	ratio := median(ratios)
	say("median ratio to pgbench -b tpcb-like (scale %d, prepared): %.2f, with a promise each %.2f; at least %.0f is wanted\n",
		benchScale, ratio, median(withPromise), benchLeast)
	b.ReportMetric(ratio, "x-pgbench")
	if ratio < benchLeast {
		b.Errorf("the ratio is %.2f, at least %.0f is wanted", ratio, benchLeast)
	}
	told := operate(b, []string{"ELSOM_DATABASE_URL=" + e.address}, "audit")
	say("%s", told.out)
	if told.code != 0 {
		b.Errorf("the books don't hold: %s", told.err)
	}
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format, args...) }

func newBench(b *testing.B) *bench {
	b.Helper()
	server, err := databasetest.StartPostgres()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Stop)
	e := &bench{b: b, server: server}
	e.tool("createdb", "yardstick")
	e.tool("createdb", "books")
	e.tool("pgbench", "-i", "-q", "-s", strconv.Itoa(benchScale), "yardstick")
	e.address = server.Address("books")
	if e.db, err = database.Open(context.Background(), e.address); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.db.Close() })
	if told := operate(b, []string{"ELSOM_DATABASE_URL=" + e.address}, "migrate"); told.code != 0 {
		b.Fatal(told.err)
	}
	e.books = ledger.New(e.db, ledger.Options{})
	e.fund()
	return e
}

// tool runs a program of PostgreSQL against the server.
func (e *bench) tool(name string, args ...string) string {
	e.b.Helper()
	path, err := databasetest.Binary(name)
	if err != nil {
		e.b.Fatal(err)
	}
	at, err := url.Parse(e.server.Address("postgres"))
	if err != nil {
		e.b.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-h", at.Hostname(), "-p", at.Port(), "-U", "postgres"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		e.b.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// fund opens the accounts and gives every wallet a million som.
func (e *bench) fund() {
	e.b.Helper()
	ctx := context.Background()
	floor := money.Amount(0)
	for range benchWallets / 500 {
		var opened []int64
		err := e.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			opened = opened[:0]
			for range 500 {
				id := tx.NewID()
				opened = append(opened, id)
				account := ledger.Account{ID: id, Kind: ledger.Wallet, Subject: strconv.FormatInt(id, 10), Floor: &floor}
				if err := ledger.Open(ctx, tx, &account); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			e.b.Fatal(err)
		}
		e.wallets = append(e.wallets, opened...)
	}
	bank, err := e.books.Account(ctx, ledger.Bank, "kicb")
	if err != nil {
		e.b.Fatal(err)
	}
	if e.biller, err = e.books.Account(ctx, ledger.Payable, "dostek"); err != nil {
		e.b.Fatal(err)
	}
	var next atomic.Int64
	e.callers(func() bool {
		i := next.Add(1) - 1
		if i >= benchWallets {
			return false
		}
		_, err := e.books.Post(ctx, ledger.Posting{Key: fmt.Sprintf("fund:%d", i), Act: "bench.fund", Entries: []ledger.Entry{
			{Account: bank, Amount: -100_000_000}, {Account: e.wallets[i], Amount: 100_000_000},
		}})
		if err != nil {
			e.b.Error(err)
		}
		return err == nil
	})
}

// callers lets 32 callers do something again and again until it says no.
func (e *bench) callers(do func() bool) {
	var all sync.WaitGroup
	for range benchCallers {
		all.Go(func() {
			for do() {
			}
		})
	}
	all.Wait()
}

// transfers posts for some seconds and gives the rate and the 99th percentile.
func (e *bench) transfers(promised bool) (rate float64, p99 time.Duration) {
	e.b.Helper()
	ctx := context.Background()
	var mu sync.Mutex
	var took []time.Duration
	begin := time.Now()
	var all sync.WaitGroup
	for range benchCallers {
		all.Go(func() {
			var own []time.Duration
			for time.Since(begin) < benchSeconds*time.Second {
				started := time.Now()
				if err := e.transfer(ctx, promised); err != nil {
					e.b.Error(err)
					return
				}
				own = append(own, time.Since(started))
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	all.Wait()
	elapsed := time.Since(begin).Seconds()
	if len(took) == 0 {
		e.b.Fatal("nothing was transferred")
	}
	slices.Sort(took)
	return float64(len(took)) / elapsed, took[len(took)*99/100]
}

func (e *bench) transfer(ctx context.Context, promised bool) error {
	key := fmt.Sprintf("bench:%d", e.drawn.Add(1))
	posting := ledger.Posting{Key: key, Act: "bench.transfer", Entries: []ledger.Entry{
		{Account: e.wallets[rand.IntN(len(e.wallets))], Amount: -1}, {Account: e.biller, Amount: 1},
	}}
	if promised {
		posting.Riders = []database.Rider{outbox.Promised.Row(outbox.Promise{Lane: "bench", Key: key, Payload: map[string]string{"key": key}})}
	}
	_, err := e.books.Post(ctx, posting)
	return err
}

var tps = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)

// pgbench gives the yardstick's rate.
func (e *bench) pgbench() float64 {
	e.b.Helper()
	out := e.tool("pgbench", "-b", "tpcb-like", "-c", strconv.Itoa(benchCallers), "-j", "2", "-M", "prepared", "-n",
		"-T", strconv.Itoa(benchSeconds), "yardstick")
	found := tps.FindStringSubmatch(out)
	if found == nil {
		e.b.Fatalf("pgbench said no rate:\n%s", out)
	}
	rate, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		e.b.Fatal(err)
	}
	return rate
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
