package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// waitFor waits until another goroutine makes a condition true.
func waitFor(t testing.TB, holds func() bool) {
	t.Helper()
	for range 20_000 {
		if holds() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("timed out waiting for the condition")
}

// Every transfer sums to zero, and so do all together.
func TestBooksBalance(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a, c := b.wallet(500_00), b.wallet(0)
		fees, till := b.account(ledger.Fees, "x"), b.open(ledger.Till, -100_00)
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				_, err := b.Post(context.Background(), ledger.Posting{Key: fmt.Sprint("p", i), Op: "test", Entries: []ledger.Entry{
					{Account: a, Amount: -11_00}, {Account: c, Amount: 10_00}, {Account: fees, Amount: 1_00},
				}})
				if err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := b.post(fmt.Sprint("t", i), till, c, 10_00); err != nil && !fault.Is(err, fault.Insufficient) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.wantBalance(a, 170_00)
		b.wantBalance(c, 400_00)
		b.wantBalance(fees, 30_00)
		b.wantBalance(till, -100_00)
		b.wantAuditOK()
	})
}

// A malformed posting is refused before it reaches the database.
func TestMalformedPostingsAreRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a := b.wallet(100_00)
		entries := func(amounts ...money.Amount) (list []ledger.Entry) {
			for i, amount := range amounts {
				list = append(list, ledger.Entry{Account: []int64{a, b.bank}[i%2], Amount: amount})
			}
			return list
		}
		const largest = money.Max
		for name, p := range map[string]ledger.Posting{
			"one entry":          {Key: "k", Op: "a", Entries: entries(-1)},
			"no entries":         {Key: "k", Op: "a"},
			"not zero":           {Key: "k", Op: "a", Entries: entries(-1, 2)},
			"a zero entry":       {Key: "k", Op: "a", Entries: entries(-1, 1, 0)},
			"nine entries":       {Key: "k", Op: "a", Entries: entries(-1, 1, -1, 1, -1, 1, -1, 3, -2)},
			"no key":             {Op: "a", Entries: entries(-1, 1)},
			"no operation":       {Key: "k", Entries: entries(-1, 1)},
			"a long key":         {Key: strings.Repeat("k", ledger.MaxKey+1), Op: "a", Entries: entries(-1, 1)},
			"a long operation":   {Key: "k", Op: strings.Repeat("a", ledger.MaxOp+1), Entries: entries(-1, 1)},
			"too much":           {Key: "k", Op: "a", Entries: entries(-(largest + 1), largest+1)},
			"a sum that wraps":   {Key: "k", Op: "a", Entries: entries(-1<<63, 1<<62, -1<<63, 1<<62)},
			"a side that wraps":  {Key: "k", Op: "a", Entries: entries(1<<62, -1<<62, 1<<62, -1<<62, 1<<62, -1<<62)},
			"a spent credit":     {Key: "k", Op: "a", Entries: []ledger.Entry{{Account: b.bank, Amount: -1}, {Account: a, Amount: 1, LimitUse: &ledger.LimitUse{}}}},
			"a returning debit":  {Key: "k", Op: "a", Entries: []ledger.Entry{{Account: a, Amount: -1, LimitUse: &ledger.LimitUse{Returns: db.Now()}}, {Account: b.bank, Amount: 1}}},
			"an unknown account": {Key: "k", Op: "a", Entries: []ledger.Entry{{Account: a, Amount: -1}, {Account: 4711, Amount: 1}}},
		} {
			if _, err := b.Post(context.Background(), p); !fault.Is(err, fault.Internal) {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.wantBalance(a, 100_00)
		if n := b.transfers("k"); n != 0 {
			t.Errorf("%d were written", n)
		}
		b.wantAuditOK()
	})
}

// No wallet falls below zero under concurrent postings.
func TestNoDebt(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		payer, payee := b.wallet(100_00), b.wallet(0)
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				_, err := b.post(fmt.Sprint("pay", i), payer, payee, 3_00)
				if err != nil && !fault.Is(err, fault.Insufficient) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.wantBalance(payer, 1_00)
		b.wantBalance(payee, 99_00)
		_, err := b.post("more", payer, payee, 1_01)
		var below *ledger.BelowFloor
		if !errors.As(err, &below) || below.Account != payer || below.Balance != 1_00 {
			t.Errorf("refused with %v", err)
		}
		b.mustPost("all", payer, payee, 1_00) // exactly to the floor
		b.wantBalance(payer, 0)
		b.wantAuditOK()
	})
}

// The database itself refuses a debt, should the ledger be wrong.
func TestNoDebtInTheDatabase(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a, till := b.wallet(10), b.open(ledger.Till, -5)
		for _, statement := range []string{
			fmt.Sprintf("UPDATE accounts SET balance = -1 WHERE id = %d", a),
			fmt.Sprintf("UPDATE accounts SET balance = -6 WHERE id = %d", till),
			fmt.Sprintf("UPDATE accounts SET balance = 1.5 WHERE id = %d AND balance = 1.5", a),
		} {
			result := db.Gorm(context.Background()).Exec(statement)
			if result.Error == nil && result.RowsAffected > 0 {
				t.Errorf("succeeded: %s", statement)
			}
		}
		err := db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
			return ledger.SetFloor(tx, a, 11)
		})
		if err == nil {
			t.Error("a floor was set above the balance")
		}
		b.wantBalance(a, 10)
	})
}

// A changed floor applies from then on.
func TestSetFloor(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		till, a := b.open(ledger.Till, -50_00), b.wallet(0)
		set := func(account int64, floor money.Amount) error {
			return db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
				return ledger.SetFloor(tx, account, floor)
			})
		}
		if err := set(till, -80_00); err != nil {
			t.Fatal(err)
		}
		b.mustPost("in", till, a, 80_00)
		_, err := b.post("more", till, a, 1)
		wantKind(t, err, fault.Insufficient)
		if err := set(b.bank, 0); !errors.Is(err, database.ErrRowCount) {
			t.Errorf("an account without a floor got one: %v", err)
		}
	})
}

// Concurrent postings under one request key make one transfer.
func TestOnceOnly(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		payer, payee := b.wallet(100_00), b.wallet(0)
		var wg sync.WaitGroup
		var mu sync.Mutex
		first, transfers := 0, map[int64]bool{}
		for range 50 {
			wg.Go(func() {
				receipt, err := b.post("pay", payer, payee, 60_00)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				transfers[receipt.Transfer] = true
				if !receipt.Replayed {
					first++
				}
			})
		}
		wg.Wait()
		if first != 1 || len(transfers) != 1 {
			t.Errorf("%d were first, of %d transfers", first, len(transfers))
		}
		b.wantBalance(payer, 40_00)
		b.wantBalance(payee, 60_00)
		b.conflicts(payer, payee)
		b.wantBalance(payer, 40_00)
		b.wantAuditOK()
	})
}

// conflicts posts other content under the key "pay".
func (b *books) conflicts(payer, payee int64) {
	b.t.Helper()
	same := between("pay", payer, payee, 60_00)
	for name, change := range map[string]func(*ledger.Posting){
		"another amount":    func(p *ledger.Posting) { p.Entries = between("", payer, payee, 30_00).Entries },
		"another account":   func(p *ledger.Posting) { p.Entries = between("", payer, b.bank, 60_00).Entries },
		"another operation": func(p *ledger.Posting) { p.Op = "other" },
		"another hash":      func(p *ledger.Posting) { p.Hash = "other" },
		"a correction":      func(p *ledger.Posting) { p.Corrects = 1 },
	} {
		other := same
		change(&other)
		if _, err := b.Post(context.Background(), other); !fault.Is(err, fault.Conflict) {
			b.t.Errorf("%s under the same key: %v", name, err)
		}
	}
}

// The database itself refuses a second transfer under one request key.
func TestOnceOnlyInTheDatabase(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		b.mustPost("k", b.wallet(1), b.bank, 1)
		err := db.Gorm(context.Background()).Exec(`INSERT INTO transfers (id, request_key, request_hash, act, posted_at)
			SELECT 1, request_key, request_hash, act, posted_at FROM transfers WHERE request_key = 'k'`).Error
		if err == nil {
			t.Fatal("a second transfer under one key")
		}
	})
}

// The database refuses to change or delete what was written.
func TestNothingErased(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a := b.wallet(100_00)
		b.mustPost("k", a, b.bank, 10_00)
		statements := []string{
			"UPDATE transfers SET act = 'x'", "UPDATE transfers SET request_key = 'x' WHERE request_key = 'k'",
			"DELETE FROM transfers", "UPDATE entries SET amount = amount + 1", "UPDATE entries SET account_id = 1",
			"DELETE FROM entries", "DELETE FROM accounts",
			"UPDATE accounts SET kind = 'x'", "UPDATE accounts SET subject = 'x' WHERE kind = 'wallet'", "UPDATE accounts SET id = id + 1",
			"UPDATE accounts SET currency = 'USD'", "UPDATE accounts SET opened_at = opened_at",
			"INSERT INTO transfers SELECT * FROM transfers", "INSERT INTO entries SELECT * FROM entries",
			"DELETE FROM stripes", "UPDATE stripes SET stripe = stripe + 1000", fmt.Sprintf("UPDATE stripes SET account_id = %d", a),
			"INSERT INTO stripes VALUES (4711, 0, 1)",
		}
		if db.Dialect() == database.Postgres {
			statements = append(statements, "TRUNCATE transfers", "TRUNCATE entries", "TRUNCATE accounts", "TRUNCATE transfers, entries, accounts CASCADE", "TRUNCATE stripes",
				"INSERT INTO accounts SELECT * FROM accounts ON CONFLICT (id) DO UPDATE SET kind = 'x'")
		} else {
			statements = append(statements, "INSERT OR REPLACE INTO transfers SELECT * FROM transfers",
				"INSERT OR REPLACE INTO stripes SELECT account_id, stripe, balance + 1 FROM stripes",
				"INSERT OR REPLACE INTO entries SELECT transfer_id, line, account_id, amount + 1 FROM entries",
				"INSERT OR REPLACE INTO accounts SELECT id, kind, subject, 'USD', balance, floor, opened_at FROM accounts")
		}
		for role, db := range map[string]*database.DB{"the owner": databasetest.Owner(t, db), "the serving role": db} {
			for _, statement := range statements {
				if db.Gorm(context.Background()).Exec(statement).Error == nil {
					t.Errorf("succeeded for %s: %s", role, statement)
				}
			}
		}
		b.wantBalance(a, 90_00)
		b.wantAuditOK()
	})
}

// A correction is a transfer that names the corrected one.
func TestCorrection(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a := b.wallet(100_00)
		wrong, err := b.post("k", a, b.bank, 10_00)
		if err != nil {
			t.Fatal(err)
		}
		back := between("k:back", b.bank, a, 10_00)
		back.Corrects = 4711
		if _, err := b.Post(context.Background(), back); err == nil {
			t.Error("a missing transfer was corrected")
		}
		back.Corrects = wrong.Transfer
		if _, err := b.Post(context.Background(), back); err != nil {
			t.Fatal(err)
		}
		b.wantBalance(a, 100_00)
		b.wantAuditOK()
	})
}

// A balance is the sum of its entries, also after refusals and replays.
func TestBalanceIsItsEntries(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		wallets := []int64{b.wallet(50_00), b.wallet(50_00), b.wallet(50_00)}
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				from, to := wallets[i%3], wallets[(i+1+i%2)%3]
				_, err := b.post(fmt.Sprint("p", i%40), from, to, money.Amount(1+i%7)*10_00)
				if err != nil && !fault.Is(err, fault.Insufficient) && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range wallets {
			var sum money.Amount
			if err := db.Gorm(context.Background()).Raw("SELECT CAST(SUM(amount) AS BIGINT) FROM entries WHERE account_id = ?", id).Scan(&sum).Error; err != nil {
				t.Fatal(err)
			}
			b.wantBalance(id, sum)
		}
		b.wantAuditOK()
	})
}

// Several entries of one account are checked by their sum.
func TestEntriesOfOneAccountCountTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a := b.wallet(10_00)
		_, err := b.Post(context.Background(), ledger.Posting{Key: "k", Op: "test", Entries: []ledger.Entry{
			{Account: a, Amount: -15_00}, {Account: b.bank, Amount: 9_00}, {Account: a, Amount: 6_00},
		}})
		if err != nil {
			t.Fatal(err)
		}
		b.wantBalance(a, 1_00)
		b.wantAuditOK()
	})
}
