package bench_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/password"
	"elsom/internal/signature"
	"elsom/internal/testkit/system"
	"elsom/internal/wallet"
)

const (
	benchWallets  = 10_000
	benchFunds    = 100_000_000 // tyiyn in each wallet, at first
	benchAmount   = 1_000       // of a payment
	benchPassword = "kok-dongolok 2026"
	// benchPasswordForm is the password as a form sends it.
	benchPasswordForm = "kok-dongolok+2026"
)

// benchDB is a database with 10,000 customers and their wallets.
type benchDB struct {
	m       *runner
	name    string
	address string
	db      *database.DB
	ledger  *ledger.Ledger
	wallets []int64
	transit []payee // the billers that payments go to
	payable int64   // the account that bare transfers go to
	// Acknowledged payments and bare transfers.
	payments, transfers atomic.Int64
	unsigned            atomic.Int64 // of the payments, written without the ledger
	drawn, turn         atomic.Int64
	salt                int64
	before              rowCounts
	warm                bool
	portals             []*portal
	drafts              drafts
	loginsBegun         atomic.Int64
	verified            *auditResult
}

// payee is a biller, with its in-transit account.
type payee struct {
	code    string
	account int64
}

// rowCounts is the number of rows of a database.
type rowCounts struct{ Transfers, Entries, Payments, Completed int64 }

// auditResult is the rows that were added, and the result of the audit.
type auditResult struct {
	added  rowCounts
	ok     bool
	output string // of an audit that failed
	took   time.Duration
	memory int64 // MiB at most
	short  string
}

func benchPhone(n int) string { return fmt.Sprintf("+996700%06d", n) }

// booksKeys returns the keys that the portals of the benchmarks sign with.
var booksKeys = sync.OnceValue(func() *signature.Keys {
	keys, err := signature.ParseKeys(strings.TrimPrefix(system.BooksKey, "ELSOM_BOOKS_KEY="))
	if err != nil {
		panic(err)
	}
	return keys
})

// seed creates the customers, wallets with money and, if key is not empty, sessions.
func seed(b testing.TB, address, key string) (payers, loggedOut []payer) {
	b.Helper()
	begin := time.Now()
	if out := system.Run(b, []string{"ELSOM_DATABASE_URL=" + address}, "migrate"); out.Code != 0 {
		b.Fatal(out.Stderr)
	}
	ctx := context.Background()
	db, err := database.Open(ctx, address, database.WithKeys(booksKeys(), false))
	require.NoError(b, err)
	defer db.Close()
	hasher, err := password.New(password.DefaultHash)
	require.NoError(b, err)
	hash, err := hasher.Hash(ctx, benchPassword)
	require.NoError(b, err)
	var wallets []int64
	for len(wallets) < benchWallets {
		first := len(wallets)
		require.NoError(b, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			wallets = wallets[:first]
			people := make([]customer.Record, 500)
			for n := range people {
				people[n] = customer.Record{
					ID: tx.NewID(), Phone: benchPhone(first + n), Email: "bench@example.kg", Lang: "ru", PasswordHash: hash,
					SessionEpoch: 1, Level: catalog.StandardLevel, CreatedAt: tx.Now(), Registered: "web",
				}
			}
			for i := range people {
				if err := people[i].Insert(tx); err != nil {
					return err
				}
			}
			for _, p := range people {
				if err := wallet.Open(ctx, tx, p.ID); err != nil {
					return err
				}
				wallets = append(wallets, p.ID)
			}
			return nil
		}))
	}
	// Half of the money comes after the earlier payments, so that the ledger has posted
	// to each wallet since.
	fund(b, db, "first", wallets)
	earlier := 0
	if key != "" {
		earlier = *benchPast
		payers, loggedOut = createSessions(b, db, key, wallets, benchLogins)
		newPast(b, db).pay(wallets, earlier)
	}
	fund(b, db, "second", wallets)
	if db.Dialect() == database.Postgres {
		seal(b, db)
	}
	printf("  %-34s %d customers, each with %d som and %d earlier payments (%.0f s)\n", "seed", benchWallets, benchFunds/100, earlier, time.Since(begin).Seconds())
	return payers, loggedOut
}

// fund puts half of its money into each wallet by a transfer.
func fund(b testing.TB, db *database.DB, name string, wallets []int64) {
	b.Helper()
	poster := ledger.New(db, ledger.Options{})
	defer poster.Close()
	ctx := context.Background()
	bank, err := poster.Account(ctx, ledger.Bank, "kicb")
	require.NoError(b, err)
	var next atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(wallets)); i = next.Add(1) - 1 {
				_, err := poster.Post(ctx, ledger.Posting{Key: fmt.Sprintf("fund:%s:%d", name, i), Op: "bench.fund", Entries: []ledger.Entry{
					{Account: bank, Amount: -benchFunds / 2}, {Account: wallets[i], Amount: benchFunds / 2},
				}})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// open returns the database of a name; the first call copies the seed.
func (m *runner) open(name string) *benchDB {
	m.b.Helper()
	if bdb, ok := m.books[name]; ok {
		return bdb
	}
	bdb := m.openAt(name, m.server.clone("b_"+strings.NewReplacer(" ", "_", ",", "").Replace(strings.ToLower(name))))
	m.books[name] = bdb
	return bdb
}

// openAt opens a seeded database.
func (m *runner) openAt(name, address string) *benchDB {
	m.b.Helper()
	ctx := context.Background()
	db, err := database.Open(ctx, address, database.WithKeys(booksKeys(), false))
	require.NoError(m.b, err)
	bdb := &benchDB{m: m, name: name, address: address, db: db, ledger: ledger.New(db, ledger.Options{}), salt: mathrand.Int64N(1_000_000_000)}
	m.opened = append(m.opened, bdb)
	found, err := db.Pool().Query("SELECT id FROM customers ORDER BY id")
	require.NoError(m.b, err)
	defer found.Close()
	for found.Next() {
		var id int64
		require.NoError(m.b, found.Scan(&id))
		bdb.wallets = append(bdb.wallets, id)
	}
	require.NoError(m.b, found.Err())
	bdb.before = bdb.rows()
	bdb.paysTo(catalog.DostekBiller)
	bdb.payable, err = bdb.ledger.Account(ctx, ledger.Payable, catalog.DostekBiller)
	require.NoError(m.b, err)
	return bdb
}

// paysTo sets the billers of payments.
func (bdb *benchDB) paysTo(codes ...string) {
	bdb.m.b.Helper()
	bdb.transit = nil
	for _, code := range codes {
		account, err := bdb.ledger.Account(context.Background(), ledger.Transit, code)
		require.NoError(bdb.m.b, err)
		bdb.transit = append(bdb.transit, payee{code, account})
	}
}

func (bdb *benchDB) close() {
	bdb.ledger.Close()
	_ = bdb.db.Close()
}

// drop verifies and drops the database.
func (bdb *benchDB) drop() {
	bdb.m.b.Helper()
	bdb.verify()
	bdb.close()
	bdb.m.server.tool("dropdb", bdb.database())
}

// database returns the name of the database.
func (bdb *benchDB) database() string {
	_, path, _ := strings.Cut(strings.TrimPrefix(bdb.address, "postgres://"), "/")
	name, _, _ := strings.Cut(path, "?")
	return name
}

func (bdb *benchDB) wallet() int64 { return bdb.wallets[mathrand.IntN(len(bdb.wallets))] }

// rows counts the rows of the database.
func (bdb *benchDB) rows() (r rowCounts) {
	bdb.m.b.Helper()
	require.NoError(bdb.m.b, bdb.db.Pool().QueryRow(`SELECT (SELECT COUNT(*) FROM transfers), (SELECT COUNT(*) FROM entries), (SELECT COUNT(*) FROM payments),
		(SELECT COUNT(*) FROM payments WHERE state = 'completed')`).
		Scan(&r.Transfers, &r.Entries, &r.Payments, &r.Completed))
	return r
}

// verify counts the added rows and runs the audit, once.
func (bdb *benchDB) verify() *auditResult {
	bdb.m.b.Helper()
	if bdb.verified != nil {
		return bdb.verified
	}
	now, p := bdb.rows(), &auditResult{}
	p.added = rowCounts{
		now.Transfers - bdb.before.Transfers, now.Entries - bdb.before.Entries, now.Payments - bdb.before.Payments,
		now.Completed - bdb.before.Completed,
	}
	payments, transfers := bdb.payments.Load(), bdb.payments.Load()+bdb.transfers.Load()
	for _, c := range []struct {
		what       string
		have, want int64
	}{
		{"transfers", p.added.Transfers, transfers}, {"entries", p.added.Entries, 2 * transfers},
		{"payments", p.added.Payments, payments},
	} {
		if c.have < c.want {
			p.short += fmt.Sprintf("%s: %d %s were acknowledged, %d are stored\n", bdb.name, c.want, c.what, c.have)
		}
	}
	expected := wrongRows{unsigned: bdb.unsigned.Load()}
	require.NoError(bdb.m.b, bdb.db.Pool().QueryRow("SELECT COUNT(*) FROM transfers WHERE act LIKE 'bench.%'").Scan(&expected.operations))
	p.audit(bdb.m.b, bdb.address, expected)
	bdb.verified = p
	printf("  %-34s %s transfers of %s, audit %s in %.1f s\n", bdb.name, formatThousands(p.added.Transfers), formatThousands(now.Transfers), p.verdict(), p.took.Seconds())
	return p
}

// audit runs elsom audit and measures it.
func (p *auditResult) audit(b testing.TB, address string, expected wrongRows) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, system.Binary(b, "elsom"), "audit")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &output, &output, system.Environment([]string{"ELSOM_DATABASE_URL=" + address}), b.TempDir()
	begin := time.Now()
	require.NoError(b, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	for running := true; running; {
		select {
		case err = <-ended:
			running = false
		case <-time.After(50 * time.Millisecond):
			p.memory = max(p.memory, system.PeakMemory(cmd.Process.Pid))
		}
	}
	p.took, p.ok = time.Since(begin), expected.reported(output.String())
	if !p.ok {
		p.output = fmt.Sprint(err) + "\n" + output.String()
	}
}

func (p *auditResult) verdict() string {
	if p.ok {
		return "holds"
	}
	return "FAILS"
}

// number returns a new n-digit number, scattered like the product's random ones.
func (bdb *benchDB) number(drawn int64, digits int) string {
	size := int64(1)
	for range digits {
		size *= 10
	}
	scattered := new(big.Int).Mul(big.NewInt(drawn+bdb.salt), big.NewInt(387_420_489)) // coprime with ten: no two meet
	text := strconv.FormatInt(scattered.Mod(scattered, big.NewInt(size)).Int64(), 10)
	return strings.Repeat("0", digits-len(text)) + text
}

// secret returns a random key.
func secret() string { return rand.Text() + rand.Text() }
