package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/cashin"
	"elsom/internal/checkpoint"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/origin"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// sealedBooks are books whose log is signed.
type sealedBooks struct {
	t    *testing.T
	a    *testkit.App
	keys *checkpoint.Keys
	from customer.Customer
}

// newSealedBooks makes books with a refused cash-in and a payment.
func newSealedBooks(t *testing.T, db *database.DB) *sealedBooks {
	t.Helper()
	private, _, err := checkpoint.NewKey("wallet.example")
	require.NoError(t, err)
	b := &sealedBooks{t: t, a: testkit.New(t, db, testkit.Options{NoRateLimits: true}), keys: require.Value(checkpoint.ParseKeys(private))(t)}
	b.from = b.a.NewCustomer(1000_00)
	require.NoError(t, b.a.Agents.AddAgent(t.Context(), cashin.NewAgent{Code: "kicb", Name: "KICB", Password: "a good password", Ceiling: 1_000_00}))
	agents := require.Value(b.a.Agents.ListAgents(t.Context()))(t)
	require.Value(b.a.CashIn.PayIn(t.Context(), agents[0], cashin.Request{TxnID: "2", TxnDate: "20261122120005", Account: "0555999888", Sum: 100_00}))(t)
	b.pay()
	return b
}

func (b *sealedBooks) pay() {
	b.t.Helper()
	draft, err := b.a.Payments.Quote(b.t.Context(), b.from, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "100", Channel: customer.Web})
	require.NoError(b.t, err)
	require.Value(b.a.Payments.Accept(b.t.Context(), b.from, customer.Web, draft.ID))(b.t)
}

// seal seals what is queued and returns the newest checkpoint.
func (b *sealedBooks) seal() string {
	b.t.Helper()
	log := translog.New(b.a.DB, translog.Options{Keys: b.keys})
	for require.Value(log.Seal(b.t.Context()))(b.t) > 0 {
	}
	return require.Value(log.Head(b.t.Context()))(b.t)
}

// wantOnlyTheCheckpoint requires that an audit finds the same as before, and that the
// comparison with an earlier checkpoint fails with an error that is a contradiction.
func (b *sealedBooks) wantOnlyTheCheckpoint(before []string, head string, want error) {
	b.t.Helper()
	if now := b.audit(); !slices.Equal(now, before) {
		b.t.Errorf("the audit finds %q", now)
	}
	if _, err := translog.New(b.a.DB, translog.Options{Keys: b.keys}).Compare(b.t.Context(), head); !errors.Is(err, want) || !translog.IsContradiction(err) {
		b.t.Errorf("compared: %v, want %v", err, want)
	}
}

func (b *sealedBooks) audit() []string {
	b.t.Helper()
	return require.Value(audit.Run(b.t.Context(), b.a.DB, audit.Outside{Keys: b.keys}))(b.t).Violations
}

// Who owns the tables and has stolen the checkpoint key removes a row with its record, and
// with all others of its transaction, and seals the rest again.
func TestOnlyACheckpointFindsARebuiltLog(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		head := b.seal()
		before := b.audit()
		b.sealAgainWithout(signature.CashIn)
		b.pay() // so that the log is longer than it was
		b.seal()
		b.wantOnlyTheCheckpoint(before, head, translog.ErrForked)
	})
}

// A dump of yesterday is put back, without what was paid since.
func TestOnlyACheckpointFindsAnOlderDump(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		b.seal()
		before := b.audit()
		tables := []string{
			"transfers", "entries", "accounts", "stripes", "payments", "promises",
			"log_queue", "log_state", "log_seals", "log_buckets", "log_tiles",
		}
		for _, table := range tables {
			databasetest.Tamper(t, db, "CREATE TABLE yesterday_"+table+" AS SELECT * FROM "+table)
		}
		b.pay()
		head := b.seal()
		for _, table := range tables {
			databasetest.TamperAll(t, db, "DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM yesterday_"+table, "DROP TABLE yesterday_"+table)
		}
		b.wantOnlyTheCheckpoint(before, head, translog.ErrRestored)
	})
}

// The owner sets the log back to an older checkpoint, together with the rows and the queue.
// The file of the portal's sealer shows it, until a branch is declared.
func TestWitnessFindsALogThatWasSetBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		first := b.seal()
		tables := []string{"transfers", "entries", "accounts", "stripes", "payments", "promises", "log_queue", "log_state", "log_seals", "log_buckets", "log_tiles"}
		for _, table := range tables {
			databasetest.Tamper(t, db, "CREATE TABLE yesterday_"+table+" AS SELECT * FROM "+table)
		}
		b.pay()
		witness := b.seal()
		found := func(witness string) (lines []string) {
			for _, line := range require.Value(audit.Run(t.Context(), db, audit.Outside{Keys: b.keys, Witness: witness}))(t).Violations {
				if strings.HasPrefix(line, "log: compared with the file: ") || strings.HasPrefix(line, "log: the checkpoint of the file: ") {
					lines = append(lines, line)
				}
			}
			return lines
		}
		for _, extended := range []string{first, witness, ""} {
			if lines := found(extended); lines != nil {
				t.Errorf("%q", lines)
			}
		}
		for _, table := range tables {
			databasetest.TamperAll(t, db, "DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM yesterday_"+table)
		}
		if lines := found(witness); len(lines) != 1 {
			t.Errorf("set back: %q", lines)
		}
		if lines := found(strings.Replace(witness, "wallet.example", "wallet.other", 1)); len(lines) != 1 {
			t.Errorf("another file: %q", lines)
		}
		_, err := translog.New(db, translog.Options{Keys: b.keys}).StartBranch(t.Context(), "aigul", "restored", witness, nil)
		require.NoError(t, err)
		if lines := found(witness); lines != nil {
			t.Errorf("with a branch: %q", lines)
		}
	})
}

// A row that was changed and signed again, as a baseline would, is not as the log first
// had it.
func TestRowSignedAgainIsFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		b.seal()
		before := b.audit()
		databasetest.Tamper(t, db, "UPDATE cash_ins SET txn_date = '20261122120009'")
		table, _ := origin.Of(signature.CashIn)
		var row origin.Row
		require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
			rows, err := table.Read(tx, -1, 0, 1)
			if err != nil {
				return err
			}
			row = rows[0]
			row.MAC, row.KeyID = databasetest.Keys().SignBaseline(row.Record)
			tx.Queue(row.Record, row.MAC)
			return nil
		}))
		databasetest.Tamper(t, db, "UPDATE cash_ins SET mac = ?, key_id = ?", row.MAC, row.KeyID)
		want := fmt.Sprintf("log: cash in %d is not as the log first had it", row.Record.ID())
		for range 2 { // queued, then sealed
			if now := b.audit(); len(now) != len(before)+1 || !slices.Contains(now, want) {
				t.Errorf("%q", now)
			}
			b.seal()
		}
	})
}

// What the audit can't check has no "ok".
func TestWhatIsNotChecked(t *testing.T) {
	db := databasetest.SQLite(t)
	b := newSealedBooks(t, db)
	b.seal()
	for text, outside := range map[string]audit.Outside{
		"branches are signed not checked: ELSOM_CHECKPOINT_KEY is not set": {},
		"of ELSOM_CHECKPOINT_FILE not checked: there is none":              {Keys: b.keys},
	} {
		if out := printed(t, require.Value(audit.Run(t.Context(), db, outside))(t)); !strings.Contains(strings.Join(strings.Fields(out), " "), text) {
			t.Errorf("no %q in:\n%s", text, out)
		}
	}
}

// Records that wait for long are reported: no sealer works.
func TestOldQueueIsReported(t *testing.T) {
	db := databasetest.SQLite(t)
	newSealedBooks(t, db)
	if r := require.Value(audit.Run(t.Context(), db, audit.Outside{}))(t); r.Warnings != nil {
		t.Errorf("%q", r.Warnings)
	}
	databasetest.Tamper(t, db, "UPDATE log_queue SET id = ? WHERE id = (SELECT MIN(id) FROM log_queue)", database.FirstID(db.Now().Add(-2*time.Minute)))
	if r := require.Value(audit.Run(t.Context(), db, audit.Outside{}))(t); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "wait for the log since 2m") {
		t.Errorf("%q", r.Warnings)
	}
}
