package bench_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/testkit/system"
	"elsom/internal/wallet"
)

var auditMany = flag.Int("audited", 10_000, "how many transfers TestAuditOfManyTransfers has audited")

// The audit's memory does not depend on the number of transfers.
func TestAuditOfManyTransfers(t *testing.T) {
	address := databasetest.Addresses(t)["postgres"]
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + address}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	db := databasetest.Reopen(t, address, database.WithKeys(nil, false))
	// The rows are not signed, as those from before an upgrade.
	databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
	wallets, transit, payable := newWallets(t, db, 200)
	funds := int64(len(wallets)) // by an operation unknown to the audit
	few := runAudit(t, address, funds)
	begin := time.Now()
	super := databasetest.Superuser(t, db) // fill vacuums all tables
	fill(t, super, wallets, transit, payable, *auditMany)
	t.Logf("filled with %s transfers in %.0f s", formatThousands(float64(*auditMany)), time.Since(begin).Seconds())
	many := runAudit(t, address, funds)
	if !strings.Contains(many.output, fmt.Sprintf("%-24s %12d", "transfers", *auditMany+len(wallets))) {
		t.Errorf("the number of checked transfers is wrong:\n%s", many.output)
	}
	since := runAudit(t, address, funds, "--since", "24h")
	for _, a := range []auditRun{few, many, since} {
		t.Log(a)
		if !a.ok {
			t.Error(a.output)
		}
	}
	const spare = 24 << 20
	if many.memory > few.memory+spare || since.memory > few.memory+spare {
		t.Error("memory grows with the number of transfers")
	}
	// A single changed entry is found.
	_, err := super.Pool().Exec(`ALTER TABLE entries DISABLE TRIGGER ALL`)
	require.NoError(t, err)
	_, err = super.Pool().Exec(`UPDATE entries SET amount = amount + 1 WHERE (transfer_id, line) =
		(SELECT transfer_id, line FROM entries WHERE account_id = $1 ORDER BY transfer_id DESC LIMIT 1)`, wallets[0])
	require.NoError(t, err)
	if wrong := runAudit(t, address, funds); wrong.ok {
		t.Errorf("a changed entry is not found:\n%s", wrong.output)
	}
}

// newWallets creates n wallets with money.
func newWallets(t *testing.T, db *database.DB, n int) (wallets []int64, transit, payable int64) {
	t.Helper()
	ctx := context.Background()
	poster := ledger.New(db, ledger.Options{})
	defer poster.Close()
	bank, err := poster.Account(ctx, ledger.Bank, "kicb")
	require.NoError(t, err)
	transit, err = poster.Account(ctx, ledger.Transit, catalog.DostekBiller)
	require.NoError(t, err)
	payable, err = poster.Account(ctx, ledger.Payable, catalog.DostekBiller)
	require.NoError(t, err)
	require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		wallets = nil
		for i := range n {
			row := customer.Record{ID: tx.NewID(), Phone: benchPhone(i), Lang: "ru", SessionEpoch: 1, Level: catalog.StandardLevel, CreatedAt: tx.Now(), Registered: "ussd"}
			if err := row.Insert(tx); err != nil {
				return err
			}
			if err := wallet.Open(ctx, tx, row.ID); err != nil {
				return err
			}
			wallets = append(wallets, row.ID)
		}
		return nil
	}))
	for _, id := range wallets {
		_, err := poster.Post(ctx, ledger.Posting{Key: fmt.Sprint("fund:", id), Op: "bench.fund", Entries: []ledger.Entry{
			{Account: bank, Amount: -1_000_000_000_00}, {Account: id, Amount: 1_000_000_000_00},
		}})
		require.NoError(t, err)
	}
	return wallets, transit, payable
}

// auditRun is the outcome and cost of an `elsom audit`.
type auditRun struct {
	arguments []string
	output    string
	ok        bool
	took      time.Duration
	memory    int64 // bytes at most
}

func (a auditRun) String() string {
	return fmt.Sprintf("elsom %s: %.1f s, %d MiB at most", strings.Join(a.arguments, " "), a.took.Seconds(), a.memory>>20)
}

// wrongLine matches a check with violations.
var wrongLine = regexp.MustCompile(`(?m)^  (.*\S) +(\d+) WRONG$`)

// wrongRows are the rows that the benchmark itself writes and an audit must report: transfers
// of unknown operations, and payments whose rows and transfers are not signed.
type wrongRows struct{ operations, unsigned int64 }

// reported reports whether an audit found exactly these, and nothing else.
func (w wrongRows) reported(output string) bool {
	var expected, found []string
	add := func(check string, n int64) {
		if n > 0 {
			expected = append(expected, fmt.Sprintf("%s: %d", check, n))
		}
	}
	add("operations", w.operations)
	add("origin", w.unsigned) // transfers
	add("origin", w.unsigned) // payments
	for _, wrong := range wrongLine.FindAllStringSubmatch(output, -1) {
		found = append(found, strings.Fields(wrong[1])[0]+": "+wrong[2])
	}
	if len(expected) == 0 {
		return len(found) == 0 && strings.Contains(output, "All holds.")
	}
	return slices.Equal(found, expected)
}

// runAudit runs elsom audit; own transfers have an operation of the tests.
func runAudit(t *testing.T, address string, own int64, arguments ...string) auditRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	a := auditRun{arguments: append([]string{"audit"}, arguments...)}
	cmd := exec.CommandContext(ctx, system.Binary(t, "elsom"), a.arguments...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &output, &output, system.Environment([]string{"ELSOM_DATABASE_URL=" + address}), t.TempDir()
	begin := time.Now()
	err := cmd.Run()
	a.took, a.output = time.Since(begin), output.String()
	a.ok = wrongRows{operations: own}.reported(a.output)
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
		t.Fatalf("elsom audit: %v\n%s", err, a.output)
	}
	a.memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	return a
}
