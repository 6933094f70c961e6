package audit_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/transfer"
)

func since(t testing.TB, db *database.DB, moment time.Time) audit.Result {
	t.Helper()
	proof, err := audit.RunSince(context.Background(), db, moment, audit.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	return withoutRemovedGuards(db, proof)
}

// notInSince matches violations that an audit since a moment does not look for.
var notInSince = regexp.MustCompile(`^balance is its entries: account \d+ \((?:till|transit|payable|fees) `)

// wantFoundSince expects an audit since before the first transfer to find what the
// full audit found, except what it does not look for.
func wantFoundSince(t *testing.T, db *database.DB, whole []string) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(whole), notInSince.MatchString)
	got := slices.Sorted(slices.Values(since(t, db, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)).Violations))
	if !slices.Equal(got, want) {
		t.Errorf("found since the beginning\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// withTwoDays runs a test with books of one day and of another ten days later, when
// an open payment was completed and Aizada sent Bakyt 40 som.
func withTwoDays(t *testing.T, test func(t *testing.T, b *book, between time.Time)) {
	first := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	now := first
	clock := database.WithClock(func() time.Time { return now })
	for _, fresh := range []func(testing.TB, ...database.Option) *database.DB{databasetest.SQLite, databasetest.Postgres} {
		now = first
		b := newBook(t, fresh(t, clock))
		now = first.AddDate(0, 0, 10)
		b.settle(b.processing, 200_00, 2_00)
		id := b.db.NewID()
		b.post(transfer.Key(id), "wallet.transfer", ledger.Subject{Type: ledger.WalletTransfer, ID: id}, ledger.Entry{Account: aizada, Amount: -40_00, LimitUse: &ledger.LimitUse{}}, ledger.Entry{Account: bakyt, Amount: 40_00})
		b.exec(`INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at)
			VALUES (?, ?, ?, '+996700000101', '+996700000102', '', '', 4000, 'web', ?)`, id, aizada, bakyt, b.db.Now())
		t.Run(string(b.db.Dialect()), func(t *testing.T) { b.t = t; test(t, b, first.AddDate(0, 0, 5)) })
	}
}

// An audit since a moment checks what is new and nothing older.
func TestSinceChecksNewTransfers(t *testing.T) {
	withTwoDays(t, func(t *testing.T, b *book, between time.Time) {
		p := since(t, b.db, between)
		if !p.OK() || p.Transfers != 2 || p.Entries != 5 {
			t.Fatal(printed(t, p))
		}
		if text := printed(t, p); !strings.Contains(text, "All of it holds. Older transfers were not checked.") || strings.Contains(text, "payments completed") {
			t.Error(text)
		}
		names := b.names()
		for _, tampered := range []struct{ did, undo, says string }{
			// Older rows: only the full audit finds them.
			{"UPDATE payments SET amount = amount + 100 WHERE id = 12", "UPDATE payments SET amount = amount - 100 WHERE id = 12", ""},
			{"UPDATE cash_ins SET sum = sum + 1 WHERE txn_id = '2'", "UPDATE cash_ins SET sum = sum - 1 WHERE txn_id = '2'", ""},
			{"UPDATE entries SET line = 7 WHERE transfer_id = {end 11} AND line = 1", "UPDATE entries SET line = 1 WHERE transfer_id = {end 11} AND line = 7", ""},
			{"UPDATE payments SET state = 'paid' WHERE id = 12", "UPDATE payments SET state = 'completed' WHERE id = 12", ""},
			{"UPDATE transfers SET act = 'gift' WHERE id = {cash 1}", "UPDATE transfers SET act = 'cashin.pay_in' WHERE id = {cash 1}", ""},
			// New rows, and rows that are checked whatever their age.
			{"UPDATE payments SET state = 'paid' WHERE id = 14", "UPDATE payments SET state = 'completed' WHERE id = 14",
				"payments: payment 14 has an unknown state"},
			{"UPDATE transfers SET act = 'gift' WHERE id = {end 14}", "UPDATE transfers SET act = 'payment.settle' WHERE id = {end 14}",
				"operations: transfer {end 14} (payment:14:end, gift) has an unknown operation"},
			{"UPDATE payments SET fee = fee + 1, amount = amount - 1 WHERE id = 14", "UPDATE payments SET fee = fee - 1, amount = amount + 1 WHERE id = 14",
				"payments: the settlement of payment 14 has wrong amounts or accounts"},
			{"UPDATE entries SET line = 7 WHERE transfer_id = {end 14} AND line = 1", "UPDATE entries SET line = 1 WHERE transfer_id = {end 14} AND line = 7",
				"nothing erased: transfer {end 14} (payment:14:end) has a missing line"},
			{"UPDATE wallet_transfers SET amount = amount + 1", "UPDATE wallet_transfers SET amount = amount - 1", "between wallets: transfer"},
			{"UPDATE payments SET state = 'processing' WHERE id = 12", "UPDATE payments SET state = 'completed' WHERE id = 12",
				"in transit: transit account of dostek has a balance of 0,00, its open payments sum to 100,00"},
			{"UPDATE entries SET amount = amount + 1 WHERE transfer_id = {accept 11} AND account_id = 101",
				"UPDATE entries SET amount = amount - 1 WHERE transfer_id = {accept 11} AND account_id = 101", "balance is its entries: account 101 (wallet aizada)"},
		} {
			did, undo := names.Replace(tampered.did), names.Replace(tampered.undo)
			b.tamper(did)
			if runAudit(t, b.db).OK() {
				t.Errorf("%s: the full audit finds nothing", did)
			}
			p := since(t, b.db, between)
			if tampered.says == "" && !p.OK() {
				t.Errorf("%s: an older row was found: %v", did, p.Violations)
			}
			if found := strings.Join(p.Violations, "\n"); !strings.Contains(found, names.Replace(tampered.says)) {
				t.Errorf("%s: found %s", did, found)
			}
			b.tamper(undo)
		}
		if p := runAudit(t, b.db); !p.OK() {
			t.Error(printed(t, p))
		}
	})
}

// No subject makes the audit fail, whatever its type and id.
func TestSinceReadsAnySubject(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		for i, subject := range []ledger.Subject{
			{}, {Type: ledger.Payment}, {Type: ledger.Payment, ID: math.MaxInt64}, {Type: ledger.CashIn, ID: -5}, {Type: ledger.WalletTransfer, ID: 4711},
		} {
			b.post(fmt.Sprint("payment:", i), "test", subject, ledger.Entry{Account: aizada, Amount: -1}, ledger.Entry{Account: bakyt, Amount: 1})
		}
		p := since(t, db, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
		// Each is of an unknown operation; payments and cash-ins also lack theirs.
		if p.ViolationCount() != 8 || runAudit(t, db).ViolationCount() != 8 {
			t.Error(printed(t, p))
		}
	})
}

func plan(t *testing.T, db *database.DB, query string) (steps []string) {
	t.Helper()
	var plan []struct{ Detail string }
	if err := db.Gorm(context.Background()).Raw("EXPLAIN QUERY PLAN " + query).Scan(&plan).Error; err != nil || len(plan) == 0 {
		t.Fatal(query, err)
	}
	for _, step := range plan {
		steps = append(steps, step.Detail)
	}
	return steps
}

// SQLite joins by an index everywhere. Reading a table again for each row of
// another took hours with a hundred thousand payments.
func TestChecksJoinByIndexes(t *testing.T) {
	db := databasetest.SQLite(t)
	for proves, query := range audit.Queries(database.SQLite) {
		steps := plan(t, db, query)
		for _, step := range steps {
			if strings.HasPrefix(step, "SCAN") && strings.Contains(step, "JOIN") {
				t.Errorf("%s: %s in\n%v", proves, step, steps)
			}
		}
	}
}

// An audit since a moment reads no table in full that grows with the payments.
func TestSinceReadsNoTableInFull(t *testing.T) {
	db := databasetest.SQLite(t)
	tables := map[string]string{"t": "transfers", "e": "entries", "p": "payments", "c": "cash_ins", "s": "wallet_transfers"}
	others := regexp.MustCompile(`payments_due|customers|payment_claims`) // short, or not narrowed
	scan := regexp.MustCompile(`^SCAN (?:main\.)?(transfers|entries|payments|cash_ins|wallet_transfers|[tepcs])\b`)
	for proves, query := range audit.QueriesSince(database.SQLite, db.Now()) {
		steps := plan(t, db, query)
		for _, step := range steps {
			found := scan.FindStringSubmatch(step)
			if found == nil || others.MatchString(step) || slices.Contains(steps, "CO-ROUTINE "+found[1]) {
				continue
			}
			name := found[1]
			if table, ok := tables[name]; ok {
				name = table
			}
			if strings.HasPrefix(step, "SCAN main.") || !slices.Contains(steps, "MATERIALIZE "+name) {
				t.Errorf("%s: %s in\n\t%s", proves, step, strings.Join(steps, "\n\t"))
			}
		}
	}
}

// The number of rows that the queries return does not grow with the transfers.
func TestRowsDoNotGrowWithTransfers(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		queries := audit.TotalQueries()
		for _, query := range audit.Queries(db.Dialect()) {
			queries = append(queries, query)
		}
		for _, query := range audit.QueriesSince(db.Dialect(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)) {
			queries = append(queries, query)
		}
		rows := func() (counts []int64) {
			for _, query := range queries {
				var n int64
				if err := db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM (" + query + ") q").Scan(&n).Error; err != nil {
					t.Fatalf("%v in %s", err, query)
				}
				counts = append(counts, n)
			}
			return counts
		}
		few := rows()
		for i := range 50 {
			id := int64(1000 + i)
			b.accept(id, aizada, 2, 1)
			if i%2 == 0 {
				b.settle(id, 2, 1)
			}
		}
		many := rows()
		for i, query := range queries {
			if few[i] != many[i] {
				t.Errorf("%d rows for few, %d for many: %s", few[i], many[i], query)
			}
		}
		if p := runAudit(t, db); !p.OK() {
			t.Error(printed(t, p))
		}
	})
}
