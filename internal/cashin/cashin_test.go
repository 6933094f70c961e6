package cashin_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/phone"
)

// Limits in the tests.
const (
	ceiling   money.Amount = 100_000
	balance   money.Amount = 50_000
	operation money.Amount = 20_000
)

// fixture is a cash-in service on a database of its own, with three agents and
// three wallets.
type fixture struct {
	*cashin.CashIn
	parts   cashin.Parts
	t       testing.TB
	db      *database.DB
	books   *ledger.Ledger
	wallets *wallets
	agents  map[string]cashin.Agent
}

// wallets is a fake of the customers.
type wallets struct {
	mu      sync.Mutex
	byPhone map[phone.Number]cashin.Wallet
	err     error
	// before, if set, is called at each ByPhone.
	before func()
}

func (w *wallets) ByPhone(_ context.Context, number phone.Number) (cashin.Wallet, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before != nil {
		w.before()
	}
	if w.err != nil {
		return cashin.Wallet{}, w.err
	}
	wallet, known := w.byPhone[number]
	if !known {
		return cashin.Wallet{}, fault.New(fault.NotFound, "test", "")
	}
	return wallet, nil
}

func (w *wallets) block(number phone.Number, blocked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wallet := w.byPhone[number]
	wallet.Blocked = blocked
	w.byPhone[number] = wallet
}

type levels map[string]catalog.Level

func (l levels) Level(_ context.Context, code string) (catalog.Level, error) {
	level, known := l[code]
	if !known {
		return catalog.Level{}, fault.New(fault.NotFound, "test", "")
	}
	return level, nil
}

const (
	asel    phone.Number = "+996700123456"
	bakyt   phone.Number = "+996550123456"
	blocked phone.Number = "+996770123456"
	nobody               = "0555999888"
)

func newFixture(t testing.TB, db *database.DB) *fixture {
	t.Helper()
	d := &fixture{t: t, db: db, books: ledger.New(db, ledger.Options{}), wallets: &wallets{byPhone: map[phone.Number]cashin.Wallet{}}}
	t.Cleanup(d.books.Close)
	d.parts = cashin.Parts{
		DB: db, Books: d.books, Wallets: d.wallets,
		Levels: levels{"standard": {Code: "standard", Balance: balance, Operation: operation}, "free": {Code: "free"}},
	}
	d.CashIn = cashin.New(d.parts)
	for _, number := range []phone.Number{asel, bakyt, blocked} {
		d.open(number)
	}
	d.wallets.block(blocked, true)
	agents, err := cashin.NewAgents(db, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for code, ceiling := range map[string]money.Amount{"kicb": ceiling, "qiwi": ceiling, "bank": 1_000_000_000} {
		a := cashin.NewAgent{Code: code, Name: code, Password: "a good password", Ceiling: ceiling}
		if err := agents.AddAgent(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
	list, err := agents.ListAgents(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d.agents = map[string]cashin.Agent{}
	for _, a := range list {
		d.agents[a.Code] = a
	}
	return d
}

func (d *fixture) open(number phone.Number) {
	d.t.Helper()
	zero := money.Amount(0)
	err := d.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		id := tx.NewID()
		d.wallets.byPhone[number] = cashin.Wallet{Customer: id, Lang: "ru", Level: "standard"}
		return ledger.Open(tx, &ledger.Account{ID: id, Type: ledger.Wallet, Subject: fmt.Sprint(id), Floor: &zero})
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *fixture) balance(number phone.Number) money.Amount {
	d.t.Helper()
	return d.account(d.wallets.byPhone[number].Customer)
}

func (d *fixture) owes(agent string) money.Amount {
	d.t.Helper()
	return -d.account(d.agents[agent].Till)
}

func (d *fixture) account(id int64) money.Amount {
	d.t.Helper()
	b, err := d.books.Balance(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// rows counts all rows that a cash-in could write.
func (d *fixture) rows() (n int) {
	d.t.Helper()
	err := d.db.Pool().QueryRow(`SELECT (SELECT count(*) FROM cash_ins) + (SELECT count(*) FROM transfers)
		+ (SELECT count(*) FROM entries) + (SELECT count(*) FROM messages)`).Scan(&n)
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

func (d *fixture) count(query string, args ...any) (n int) {
	d.t.Helper()
	if err := d.db.Pool().QueryRow(query, args...).Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

func request(txn, account string, sum money.Amount) cashin.Request {
	return cashin.Request{TxnID: txn, TxnDate: "20261122120005", Account: account, Sum: sum}
}

// pay pays in through an agent and checks the result.
func (d *fixture) pay(agent, txn, account string, sum money.Amount, want cashin.Result) cashin.Answer {
	d.t.Helper()
	answer, err := d.PayIn(context.Background(), d.agents[agent], request(txn, account, sum))
	if err != nil {
		d.t.Fatalf("%s %s: %s to %s: %v", agent, txn, sum, account, err)
	}
	if answer.Result != want || answer.Reference == 0 || answer.Sum != sum {
		d.t.Fatalf("%s %s: %s to %s: %+v, want result %d", agent, txn, sum, account, answer, want)
	}
	return answer
}

func TestResultsAreFinal(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		steps := []struct {
			agent, txn, account string
			sum                 money.Amount
			want                cashin.Result
		}{
			{"kicb", "1", "0700 123 456", 10_000, cashin.Done},
			{"kicb", "01", "700123456", 5_000, cashin.Done}, // an id is compared as a string
			{"qiwi", "1", "+996700123456", 5_000, cashin.Done},
			{"kicb", "2", "12345", 10_000, cashin.BadAccount},
			{"kicb", "3", "", 10_000, cashin.BadAccount},
			{"kicb", "4", "+79161234567", 10_000, cashin.BadAccount},
			{"kicb", "5", "0312960888", 10_000, cashin.BadAccount},
			{"kicb", "6", nobody, 10_000, cashin.NoWallet},
			{"kicb", "7", blocked.String(), 10_000, cashin.Blocked},
			{"kicb", "8", asel.String(), 0, cashin.TooSmall},
			{"kicb", "9", asel.String(), operation + 1, cashin.TooLarge},
			{"kicb", "10", asel.String(), cashin.TooLargeSum, cashin.TooLarge},
			{"kicb", "11", asel.String(), operation, cashin.Done},
			{"kicb", "12", asel.String(), 10_001, cashin.TooLarge}, // the balance is 40,000
			{"kicb", "13", asel.String(), 10_000, cashin.Done},     // exactly the limit
			{"kicb", "14", asel.String(), 1, cashin.TooLarge},
		}
		answers := map[string]cashin.Answer{}
		for _, s := range steps {
			answers[s.agent+s.txn] = d.pay(s.agent, s.txn, s.account, s.sum, s.want)
		}
		if d.balance(asel) != balance || d.owes("kicb") != balance-5_000 || d.owes("qiwi") != 5_000 {
			t.Errorf("the wallet holds %s, agents owe %s and %s", d.balance(asel), d.owes("kicb"), d.owes("qiwi"))
		}
		// A repeat gets the first answer, whatever has changed.
		d.wallets.block(asel, true)
		d.wallets.block(blocked, false)
		d.open("+996555999888")
		before := d.rows()
		for _, s := range steps {
			if again := d.pay(s.agent, s.txn, s.account, s.sum, s.want); again != answers[s.agent+s.txn] {
				t.Errorf("%s %s: first %+v, then %+v", s.agent, s.txn, answers[s.agent+s.txn], again)
			}
		}
		if d.rows() != before {
			t.Error("repeats wrote something")
		}
		if n := d.count(`SELECT count(*) FROM messages WHERE queue = 'sms' AND daily_limit = 'half'`); n != 5 {
			t.Errorf("%d messages for 5 cash-ins", n)
		}
	})
}

func TestOtherAccountOrSumConflicts(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		d.pay("kicb", "1", "0700123456", 10_000, cashin.Done)
		d.pay("kicb", "2", nobody, 10_000, cashin.NoWallet)
		before := d.rows()
		for _, r := range []cashin.Request{
			request("1", "0550123456", 10_000), request("1", "0700123456", 10_001), request("1", "junk", 10_000),
			request("2", "0700123456", 10_000), request("2", nobody, 9_999), request("1", "0700123456", 0),
		} {
			if _, err := d.PayIn(t.Context(), d.agents["kicb"], r); !fault.Is(err, fault.Conflict) {
				t.Errorf("%+v: %v", r, err)
			}
		}
		if d.rows() != before || d.balance(bakyt) != 0 || d.balance(asel) != 10_000 {
			t.Error("something was written")
		}
		// The number in another form, and another date, are the same request.
		r := request("1", "+996 (700) 12-34-56", 10_000)
		r.TxnDate = "20261123000000"
		if answer, err := d.PayIn(t.Context(), d.agents["kicb"], r); err != nil || answer.Result != cashin.Done {
			t.Errorf("in another form: %+v, %v", answer, err)
		}
	})
}

func TestMalformedRequestIsNotStored(t *testing.T) {
	d := newFixture(t, databasetest.SQLite(t))
	good := request("77", asel.String(), 1_000)
	for name, spoil := range map[string]func(r *cashin.Request){
		"no id":               func(r *cashin.Request) { r.TxnID = "" },
		"an id with a letter": func(r *cashin.Request) { r.TxnID = "77a" },
		"a signed id":         func(r *cashin.Request) { r.TxnID = "+77" },
		"a long id":           func(r *cashin.Request) { r.TxnID = "12345678901234567890123456789" },
		"no date":             func(r *cashin.Request) { r.TxnDate = "" },
		"a short date":        func(r *cashin.Request) { r.TxnDate = "20261122" },
		"an impossible date":  func(r *cashin.Request) { r.TxnDate = "20261322120005" },
		"a negative sum":      func(r *cashin.Request) { r.Sum = -1 },
		"a sum too large":     func(r *cashin.Request) { r.Sum = cashin.TooLargeSum + 1 },
		"a long account":      func(r *cashin.Request) { r.Account = fmt.Sprintf("%0201d", 1) },
		"a broken account":    func(r *cashin.Request) { r.Account = "07\x0000" },
		"half a character":    func(r *cashin.Request) { r.Account = "07\xd0" },
	} {
		r := good
		spoil(&r)
		if _, err := d.PayIn(t.Context(), d.agents["kicb"], r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d.rows() != 0 {
		t.Error("something was written")
	}
	if answer, err := d.PayIn(t.Context(), d.agents["kicb"], good); err != nil || answer.Result != cashin.Done {
		t.Errorf("the valid request: %+v, %v", answer, err)
	}
}

func TestCheckWritesNothing(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		d.pay("kicb", "1", asel.String(), 15_000, cashin.Done)
		d.pay("kicb", "2", asel.String(), 15_000, cashin.Done)
		d.pay("kicb", "3", bakyt.String(), 20_000, cashin.Done)
		d.pay("kicb", "4", bakyt.String(), 20_000, cashin.Done)
		before := d.rows()
		for _, c := range []struct {
			agent, account string
			sum            money.Amount
			want           cashin.Result
		}{
			{"kicb", asel.String(), 0, cashin.Done},
			{"kicb", asel.String(), 1, cashin.Done},
			{"kicb", "junk", 0, cashin.BadAccount},
			{"kicb", nobody, 0, cashin.NoWallet},
			{"kicb", blocked.String(), 100, cashin.Blocked},
			{"qiwi", asel.String(), operation, cashin.Done},
			{"qiwi", asel.String(), operation + 1, cashin.TooLarge},
			{"qiwi", bakyt.String(), 10_000, cashin.Done},
			{"qiwi", bakyt.String(), 10_001, cashin.TooLarge},
		} {
			// The id was used with other content, which a check ignores.
			r := cashin.Request{TxnID: "1", Account: c.account, Sum: c.sum}
			if got, err := d.Check(t.Context(), d.agents[c.agent], r); err != nil || got != c.want {
				t.Errorf("%+v: %d, %v; want %d", c, got, err, c.want)
			}
		}
		if d.rows() != before {
			t.Error("a check wrote something")
		}
		if _, err := d.Check(t.Context(), d.agents["kicb"], cashin.Request{TxnID: "x"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a malformed check: %v", err)
		}
	})
}

func TestCeiling(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		for i := range 5 { // 100,000 in all, on new wallets, so that no other limit is reached
			number := phone.Number(fmt.Sprintf("+99655000000%d", i))
			d.open(number)
			sum := operation
			if i == 4 {
				sum-- // one tyiyn is left
			}
			d.pay("kicb", fmt.Sprint(i), number.String(), sum, cashin.Done)
		}
		two := cashin.Request{TxnID: "1", Account: asel.String(), Sum: 2}
		if got, err := d.Check(t.Context(), d.agents["kicb"], two); err != nil || got != cashin.Refused {
			t.Errorf("a check above the ceiling: %d, %v", got, err)
		}
		d.pay("kicb", "10", asel.String(), 2, cashin.Refused)
		d.pay("kicb", "11", asel.String(), 1, cashin.Done)
		d.pay("kicb", "12", asel.String(), 1, cashin.Refused)
		d.pay("qiwi", "12", asel.String(), 1, cashin.Done) // another agent has its own ceiling
		if d.owes("kicb") != ceiling {
			t.Errorf("owes %s", d.owes("kicb"))
		}
	})
}
