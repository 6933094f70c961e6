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
	drawn               atomic.Int64
	salt                int64
	before              rowCounts
	warm                bool
	portals             []*portal
	drafts              []draft
	taken, knocked      atomic.Int64 // drafts; browsers before the password
	verified            *auditResult
}

// payee is a biller, with its in-transit account.
type payee struct {
	code    string
	account int64
}

// rowCounts is the number of rows of a database.
type rowCounts struct{ Transfers, Entries, Payments, Messages, Completed int64 }

// auditResult is the rows that were added, and the result of the audit.
type auditResult struct {
	added  rowCounts
	holds  bool
	output string // by the audit, where it doesn't hold
	took   time.Duration
	memory int64 // MiB at most
	short  string
}

func benchPhone(n int) string { return fmt.Sprintf("+996700%06d", n) }

// seed creates the customers, wallets with money and, with a key of sessions, the
// sessions.
func seed(b *testing.B, address, key string) (payers, strangers []payer) {
	b.Helper()
	begin := time.Now()
	if out := system.Run(b, []string{"ELSOM_DATABASE_URL=" + address}, "migrate"); out.Code != 0 {
		b.Fatal(out.Stderr)
	}
	ctx := context.Background()
	db, err := database.Open(ctx, address)
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
			if err := tx.Gorm().Create(&people).Error; err != nil {
				return err
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
	fund(b, db, wallets)
	if key != "" {
		payers, strangers = createSessions(b, db, key, wallets)
	}
	printf("  %-34s %d customers, each with %d som (%.0f s)\n", "seed", benchWallets, benchFunds/100, time.Since(begin).Seconds())
	return payers, strangers
}

// fund puts money into each wallet by a transfer.
func fund(b *testing.B, db *database.DB, wallets []int64) {
	b.Helper()
	keeper := ledger.New(db, ledger.Options{})
	defer keeper.Close()
	ctx := context.Background()
	bank, err := keeper.Account(ctx, ledger.Bank, "kicb")
	require.NoError(b, err)
	var next atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(wallets)); i = next.Add(1) - 1 {
				_, err := keeper.Post(ctx, ledger.Posting{Key: fmt.Sprintf("fund:%d", i), Op: "bench.fund", Entries: []ledger.Entry{
					{Account: bank, Amount: -benchFunds}, {Account: wallets[i], Amount: benchFunds},
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
	if k, ok := m.books[name]; ok {
		return k
	}
	k := m.openAt(name, m.server.clone("b_"+strings.NewReplacer(" ", "_", ",", "").Replace(name)))
	m.books[name] = k
	return k
}

// openAt opens a seeded database.
func (m *runner) openAt(name, address string) *benchDB {
	m.b.Helper()
	ctx := context.Background()
	db, err := database.Open(ctx, address)
	require.NoError(m.b, err)
	k := &benchDB{m: m, name: name, address: address, db: db, ledger: ledger.New(db, ledger.Options{}), salt: mathrand.Int64N(1_000_000_000)}
	m.opened = append(m.opened, k)
	found, err := db.Pool().Query("SELECT id FROM customers ORDER BY id")
	require.NoError(m.b, err)
	defer found.Close()
	for found.Next() {
		var id int64
		require.NoError(m.b, found.Scan(&id))
		k.wallets = append(k.wallets, id)
	}
	require.NoError(m.b, found.Err())
	k.before = k.rows()
	k.paysTo(catalog.DostekBiller)
	k.payable, err = k.ledger.Account(ctx, ledger.Payable, catalog.DostekBiller)
	require.NoError(m.b, err)
	return k
}

// paysTo sets the billers of payments.
func (k *benchDB) paysTo(codes ...string) {
	k.m.b.Helper()
	k.transit = nil
	for _, code := range codes {
		account, err := k.ledger.Account(context.Background(), ledger.Transit, code)
		require.NoError(k.m.b, err)
		k.transit = append(k.transit, payee{code, account})
	}
}

func (k *benchDB) close() {
	k.ledger.Close()
	_ = k.db.Close()
}

// drop verifies and drops the database.
func (k *benchDB) drop() {
	k.m.b.Helper()
	k.verify()
	k.close()
	var name string
	require.NoError(k.m.b, k.m.server.admin.QueryRow("SELECT datname FROM pg_database WHERE $1 LIKE '%/' || datname || '?%'", k.address).Scan(&name))
	k.m.server.tool("dropdb", name)
}

func (k *benchDB) wallet() int64 { return k.wallets[mathrand.IntN(len(k.wallets))] }

// rows counts the rows of the database.
func (k *benchDB) rows() (r rowCounts) {
	k.m.b.Helper()
	require.NoError(k.m.b, k.db.Pool().QueryRow(`SELECT (SELECT COUNT(*) FROM transfers), (SELECT COUNT(*) FROM entries), (SELECT COUNT(*) FROM payments),
		(SELECT COUNT(*) FROM promises), (SELECT COUNT(*) FROM payments WHERE state = 'completed')`).
		Scan(&r.Transfers, &r.Entries, &r.Payments, &r.Messages, &r.Completed))
	return r
}

// verify counts the added rows and runs the audit, once.
func (k *benchDB) verify() *auditResult {
	k.m.b.Helper()
	if k.verified != nil {
		return k.verified
	}
	now, p := k.rows(), &auditResult{}
	p.added = rowCounts{
		now.Transfers - k.before.Transfers, now.Entries - k.before.Entries, now.Payments - k.before.Payments,
		now.Messages - k.before.Messages, now.Completed - k.before.Completed,
	}
	payments, transfers := k.payments.Load(), k.payments.Load()+k.transfers.Load()
	for _, c := range []struct {
		what       string
		have, want int64
	}{
		{"transfers", p.added.Transfers, transfers}, {"entries", p.added.Entries, 2 * transfers},
		{"payments", p.added.Payments, payments}, {"promises", p.added.Messages, payments},
	} {
		if c.have < c.want {
			p.short += fmt.Sprintf("%s: %d %s were acknowledged, %d are there\n", k.name, c.want, c.what, c.have)
		}
	}
	var own int64
	require.NoError(k.m.b, k.db.Pool().QueryRow("SELECT COUNT(*) FROM transfers WHERE act LIKE 'bench.%'").Scan(&own))
	p.audit(k.m.b, k.address, own)
	k.verified = p
	printf("  %-34s %s transfers of %s, audit %s in %.1f s\n", k.name, formatThousands(p.added.Transfers), formatThousands(now.Transfers), p.verdict(), p.took.Seconds())
	return p
}

// audit runs elsom audit and measures it. own transfers have an operation of the
// benchmark, which the audit does not know.
func (p *auditResult) audit(b *testing.B, address string, own int64) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, system.Binary(b, "elsom"), "audit")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &said, &said, system.Environment([]string{"ELSOM_DATABASE_URL=" + address}), b.TempDir()
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
	p.took, p.holds = time.Since(begin), holdsExcept(own, said.String())
	if !p.holds {
		p.output = fmt.Sprint(err) + "\n" + said.String()
	}
}

func (p *auditResult) verdict() string {
	if p.holds {
		return "holds"
	}
	return "FAILS"
}

// number returns a new n-digit number, scattered like the product's random ones.
func (k *benchDB) number(drawn int64, digits int) string {
	size := int64(1)
	for range digits {
		size *= 10
	}
	scattered := new(big.Int).Mul(big.NewInt(drawn+k.salt), big.NewInt(387_420_489)) // coprime with ten: no two meet
	text := strconv.FormatInt(scattered.Mod(scattered, big.NewInt(size)).Int64(), 10)
	return strings.Repeat("0", digits-len(text)) + text
}

// secret returns a random key.
func secret() string { return rand.Text() + rand.Text() }
