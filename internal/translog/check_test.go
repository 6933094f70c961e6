package translog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// books are books with sealed rows, and some that are queued.
type books struct {
	*fixture
	sealedRow, queuedRow int64 // payments
	between              time.Time
}

// newBooks returns books with two seals of at least 300 records, and queued ones.
func newBooks(t *testing.T, db *database.DB) *books {
	t.Helper()
	f := newFixture(t, db)
	b := &books{fixture: f}
	a := testkit.New(t, db, testkit.Options{NoRateLimits: true})
	c := a.NewCustomer(1000_00)
	pay := func() int64 {
		draft, err := a.Payments.Quote(t.Context(), c, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "10", Channel: customer.Web})
		require.NoError(t, err)
		accepted, err := a.Payments.Accept(t.Context(), c, customer.Web, draft.ID)
		require.NoError(t, err)
		return accepted.Payment.ID
	}
	for range 3 {
		b.sealedRow = pay()
	}
	f.seal()
	b.between = db.Now()
	pay()
	f.seal()
	b.queuedRow = pay()
	return b
}

// tamper changes the database by hand.
func (b *books) tamper(statement string, args ...any) {
	b.t.Helper()
	databasetest.Tamper(b.t, b.db, statement, args...)
}

// audit returns the violations of the log.
func (b *books) audit(since time.Time) (lines []string, report translog.Report) {
	b.t.Helper()
	result, err := audit.Run(b.t.Context(), b.db, audit.Outside{Keys: b.keys})
	if !since.IsZero() {
		result, err = audit.RunSince(b.t.Context(), b.db, since, audit.Outside{Keys: b.keys})
	}
	require.NoError(b.t, err)
	for _, line := range result.Violations {
		if strings.HasPrefix(line, "log: ") {
			lines = append(lines, line)
		}
	}
	return lines, result.Log
}

func TestCheck(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		for _, since := range []time.Time{{}, b.between, db.Now(), b.between.Add(-time.Hour)} {
			lines, report := b.audit(since)
			if lines != nil || report.Size == 0 || report.Unsealed == 0 || report.Head == nil || report.NoKey || report.TooMany || report.Oldest.IsZero() {
				t.Errorf("since %v: %q, %+v", since, lines, report)
			}
		}
		b.seal()
		if lines, report := b.audit(time.Time{}); lines != nil || report.Unsealed != 0 || report.Seals != 3 {
			t.Errorf("%q, %+v", lines, report)
		}
	})
}

// A branch is a part of the log and is checked like the rest.
func TestCheckWithBranch(t *testing.T) {
	t.Parallel()
	r := newRestored(t, databasetest.SQLite(t))
	_, err := r.log.StartBranch(t.Context(), "Aibek", "restored", "", nil)
	require.NoError(t, err)
	check := func(want string) {
		t.Helper()
		found := ""
		require.NoError(t, r.db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
			_, err := translog.Check(tx, r.keys, "", time.Time{}, func(rule translog.Rule, line string) {
				if rule != translog.NothingMissing { // the rows of these records are made up
					found += line + "\n"
				}
			})
			return err
		}))
		if !strings.Contains(found, want) || want == "" && found != "" {
			t.Errorf("found %q, want %q", found, want)
		}
	}
	check("")
	note := ""
	require.NoError(t, r.db.Gorm(t.Context()).Raw("SELECT note FROM log_branches").Scan(&note).Error)
	for statement, want := range map[string]string{
		"UPDATE log_branches SET note = REPLACE(note, 'restored', 'repaired')": "branch 1 of the log is not signed as it is",
		"UPDATE log_branches SET id = id + 1":                                  "branch 1 is not in the log",
		"DELETE FROM log_branches":                                             "a branch of the log is missing",
	} {
		databasetest.Tamper(t, r.db, statement)
		check(want)
		databasetest.Tamper(t, r.db, "DELETE FROM log_branches")
		databasetest.Tamper(t, r.db, "INSERT INTO log_branches SELECT 1, 0, ?, ?", note, r.db.Now())
	}
}

func TestCheckFindsManipulations(t *testing.T) {
	t.Parallel()
	const sealed, queued = "payment {sealed} was sealed in the log and is missing", "payment {queued} was queued for the log and is missing"
	for name, c := range map[string]struct {
		statements []string
		want       string
	}{
		"sealed row removed":        {[]string{"DELETE FROM payments WHERE id = {sealed}"}, sealed},
		"sealed row changed":        {[]string{"UPDATE payments SET identifier = '02705199110016' WHERE id = {sealed}"}, "payment {sealed} is not as it was sealed"},
		"sealed mac erased":         {[]string{"UPDATE payments SET mac = NULL, key_id = '' WHERE id = {sealed}"}, sealed},
		"sealed row replaced":       {[]string{"UPDATE payments SET mac = (SELECT mac FROM payments WHERE id = {queued}) WHERE id = {sealed}"}, "payment {sealed} is not as it was sealed"},
		"queued row removed":        {[]string{"DELETE FROM payments WHERE id = {queued}"}, queued},
		"queued row changed":        {[]string{"UPDATE payments SET amount = amount + 1 WHERE id = {queued}"}, "payment {queued} is not as it was queued"},
		"row renumbered":            {[]string{"UPDATE payments SET id = {sealed} + 1 WHERE id = {sealed}"}, "is signed but neither sealed in the log nor queued"},
		"queue emptied":             {[]string{"DELETE FROM log_queue"}, "payment {queued} is signed but neither sealed in the log nor queued"},
		"queue malformed":           {[]string{"UPDATE log_queue SET records = '12'"}, "of the queue is malformed"},
		"entry of a transfer":       {[]string{"UPDATE entries SET amount = amount * 2 WHERE transfer_id = (SELECT MIN(id) FROM transfers)"}, "is not as it was sealed"},
		"seal removed":              {[]string{"DELETE FROM log_seals WHERE first = 0"}, "the seal of the records from 0 on is missing"},
		"last seal removed":         {[]string{"DELETE FROM log_seals WHERE first > 0"}, "the seals have "},
		"seal renumbered":           {[]string{"UPDATE log_seals SET first = first + 1 WHERE first > 0"}, "is missing or has a wrong number of records"},
		"seal's count":              {[]string{"UPDATE log_seals SET count = count - 1"}, "is missing or has a wrong number of records"},
		"seal's records exchanged":  {[]string{"UPDATE log_seals SET records = (SELECT records FROM log_seals WHERE first > 0), count = (SELECT count FROM log_seals WHERE first > 0) WHERE first = 0"}, "is missing or has a wrong number"},
		"seal's record overwritten": {[]string{"UPDATE log_seals SET records = {overwritten} WHERE first = 0"}, "is not that of the tree"},
		"seal's checkpoint":         {[]string{"UPDATE log_seals SET checkpoint = 'x' WHERE first = 0"}, "is not that of the tree"},
		"bucket removed":            {[]string{"DELETE FROM log_buckets WHERE first = 0"}, "the buckets of the seal of the records from 0 on are wrong"},
		"bucket added":              {[]string{"INSERT INTO log_buckets VALUES (0, 1)"}, "the buckets of the seal of the records from 0 on are wrong"},
		"bucket changed":            {[]string{"UPDATE log_buckets SET bucket = bucket + 1000 WHERE first = 0"}, "the buckets of the seal of the records from 0 on are wrong"},
		"tile":                      {[]string{"UPDATE log_tiles SET hashes = {zeros}"}, "tile 0 of level 0 is not that of its records"},
		"tile added":                {[]string{"INSERT INTO log_tiles VALUES (3, 9, {zeros})"}, "tiles, the tree has 1"},
		"state's size":              {[]string{"UPDATE log_state SET size = size - 1"}, "the newest checkpoint has "},
		"state's checkpoint":        {[]string{"UPDATE log_state SET checkpoint = REPLACE(checkpoint, 'time 2', 'time 3')"}, "the newest checkpoint: its signature is not valid"},
		"an older checkpoint":       {[]string{"UPDATE log_state SET checkpoint = (SELECT checkpoint FROM log_seals WHERE first = 0)"}, "the newest checkpoint has "},
		"row and record removed": {[]string{
			"DELETE FROM payments WHERE id = {sealed}", "DELETE FROM log_seals WHERE first = 0", "DELETE FROM log_buckets WHERE first = 0",
		}, "the seal of the records from 0 on is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := databasetest.SQLite
			if name == "sealed row changed" || name == "seal removed" || name == "tile" {
				db = databasetest.Postgres
			}
			b := newBooks(t, db(t))
			zeros, overwritten := "X'00'", "CAST(X'05' || SUBSTR(records, 2) AS BLOB)"
			if b.db.Dialect() == database.Postgres {
				zeros = "'\\x00'"
			}
			fill := strings.NewReplacer("{sealed}", fmt.Sprint(b.sealedRow), "{queued}", fmt.Sprint(b.queuedRow), "{zeros}", zeros, "{overwritten}", overwritten)
			for _, statement := range c.statements {
				b.tamper(fill.Replace(statement))
			}
			lines, _ := b.audit(time.Time{})
			if all := strings.Join(lines, "\n"); !strings.Contains(all, fill.Replace(c.want)) {
				t.Errorf("found %q, want %q", all, fill.Replace(c.want))
			}
		})
	}
}

// Who has the database and no key can't rebuild the log: its checkpoint isn't signed.
func TestRebuiltLogIsFound(t *testing.T) {
	t.Parallel()
	b := newBooks(t, databasetest.SQLite(t))
	before := require.Value(b.log.Head(t.Context()))(t)
	b.tamper("DELETE FROM payments WHERE id = ?", b.sealedRow)
	for _, table := range []string{"log_seals", "log_buckets", "log_tiles"} {
		b.tamper("DELETE FROM " + table)
	}
	b.tamper("UPDATE log_state SET size = 0, checkpoint = ''")
	require.Value(translog.New(b.db, translog.Options{Keys: newKeys(t, "wallet.example")}).Seal(t.Context()))(t)
	if lines, _ := b.audit(time.Time{}); !strings.Contains(strings.Join(lines, "\n"), "it is not signed by a key that is known here") {
		t.Errorf("found %q", lines)
	}
	if _, err := b.log.Compare(t.Context(), before); !translog.IsContradiction(err) {
		t.Errorf("compared: %v", err)
	}
}
