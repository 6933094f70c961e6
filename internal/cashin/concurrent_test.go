package cashin_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"elsom/internal/cashin"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/phone"
)

// concurrently starts n calls together and returns their answers.
func concurrently(n int, call func(i int) (cashin.Answer, error)) ([]cashin.Answer, []error) {
	answers, errs := make([]cashin.Answer, n), make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			answers[i], errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return answers, errs
}

func TestConcurrentRepeatsCreditOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		answers, errs := concurrently(50, func(int) (cashin.Answer, error) {
			return d.PayIn(context.Background(), d.agents["kicb"], request("1", asel.String(), 10_000))
		})
		for i := range answers {
			if errs[i] != nil || answers[i] != answers[0] || answers[i].Result != cashin.Done {
				t.Fatalf("repeat %d: %+v, %v; the first %+v", i, answers[i], errs[i], answers[0])
			}
		}
		if d.balance(asel) != 10_000 || d.owes("kicb") != 10_000 {
			t.Errorf("the wallet holds %s, the agent owes %s", d.balance(asel), d.owes("kicb"))
		}
		if n := d.count("SELECT count(*) FROM messages"); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestConcurrentCreditAndRefusal blocks and unblocks the wallet at every lookup, so
// that some repeats try to credit and others to refuse. All must get one answer.
func TestConcurrentCreditAndRefusal(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		flip := false
		d.wallets.before = func() {
			flip = !flip
			wallet := d.wallets.byPhone[asel]
			wallet.Blocked = flip
			d.wallets.byPhone[asel] = wallet
		}
		var credited money.Amount
		results := map[cashin.Result]int{}
		for round := range 30 {
			answers, errs := concurrently(6, func(int) (cashin.Answer, error) {
				return d.PayIn(context.Background(), d.agents["kicb"], request(fmt.Sprint(round), asel.String(), 100))
			})
			for i := range answers {
				if errs[i] != nil || answers[i] != answers[0] {
					t.Fatalf("round %d: %+v and %+v, %v", round, answers[0], answers[i], errs[i])
				}
			}
			results[answers[0].Result]++
			if answers[0].Result == cashin.Done {
				credited += 100
			}
		}
		if d.balance(asel) != credited {
			t.Errorf("answered %s, credited %s", credited, d.balance(asel))
		}
		t.Logf("decisions: %v", results)
	})
}

func TestConcurrentSumsConflict(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		answers, errs := concurrently(10, func(i int) (cashin.Answer, error) {
			return d.PayIn(context.Background(), d.agents["kicb"], request("1", asel.String(), money.Amount(1_000+i)))
		})
		done := 0
		for i := range answers {
			switch {
			case errs[i] == nil && answers[i].Result == cashin.Done:
				done++
			case !fault.Is(errs[i], fault.Conflict):
				t.Errorf("%+v, %v", answers[i], errs[i])
			}
		}
		if done != 1 || d.balance(asel) < 1_000 || d.balance(asel) >= 1_010 {
			t.Errorf("%d were done, the wallet holds %s", done, d.balance(asel))
		}
	})
}

func TestConcurrentPaymentsReachTheCeiling(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		var numbers []phone.Number
		for i := range 12 { // 12 times 20,000 against a ceiling of 100,000
			numbers = append(numbers, phone.Number(fmt.Sprintf("+9965501000%02d", i)))
			d.open(numbers[i])
		}
		answers, errs := concurrently(12, func(i int) (cashin.Answer, error) {
			return d.PayIn(context.Background(), d.agents["kicb"], request(fmt.Sprint(i), numbers[i].String(), operation))
		})
		results := map[cashin.Result]int{}
		for i := range answers {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			results[answers[i].Result]++
		}
		if results[cashin.Done] != 5 || results[cashin.Refused] != 7 || d.owes("kicb") != ceiling {
			t.Errorf("%v, owes %s", results, d.owes("kicb"))
		}
	})
}

func TestConcurrentPaymentsReachTheBalanceLimit(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		answers, errs := concurrently(10, func(i int) (cashin.Answer, error) {
			return d.PayIn(context.Background(), d.agents["kicb"], request(fmt.Sprint(i), asel.String(), 10_000))
		})
		results := map[cashin.Result]int{}
		for i := range answers {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			results[answers[i].Result]++
		}
		if results[cashin.Done] != 5 || results[cashin.TooLarge] != 5 || d.balance(asel) != balance {
			t.Errorf("%v, holds %s", results, d.balance(asel))
		}
	})
}

// If the answer is lost after the commit, the repeat gets what was committed.
func TestAnswerLostAfterTheCommit(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		broken := d.withBooks(brokenBooks{d.books, fault.New(fault.Unknown, "test", ""), true})
		if _, err := broken.PayIn(t.Context(), d.agents["kicb"], request("1", asel.String(), 1_000)); !fault.Is(err, fault.Unknown) {
			t.Fatalf("%v", err)
		}
		d.wallets.block(asel, true) // no longer matters
		d.pay("kicb", "1", asel.String(), 1_000, cashin.Done)
		if d.balance(asel) != 1_000 {
			t.Errorf("holds %s", d.balance(asel))
		}
	})
}

// A posting that is delayed until the repeat was refused must not credit.
func TestLatePostingAfterARefusal(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		late := &lateBooks{Books: d.books}
		if _, err := d.withBooks(late).PayIn(t.Context(), d.agents["kicb"], request("1", asel.String(), 1_000)); !fault.Is(err, fault.Unknown) {
			t.Fatalf("%v", err)
		}
		d.wallets.block(asel, true)
		d.pay("kicb", "1", asel.String(), 1_000, cashin.Blocked)
		if _, err := d.books.Post(t.Context(), late.delayed); !fault.Is(err, fault.Conflict) {
			t.Errorf("the late posting: %v", err)
		}
		if d.balance(asel) != 0 || d.owes("kicb") != 0 {
			t.Errorf("credited %s after a refusal", d.balance(asel))
		}
		d.pay("kicb", "1", asel.String(), 1_000, cashin.Blocked)
	})
}

// TestCashInMatchesModel compares random operations with a model in memory.
func TestCashInMatchesModel(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		run := 0
		rapid.Check(t, func(t *rapid.T) {
			run++
			m := newModel(d, run)
			t.Repeat(map[string]func(*rapid.T){
				"pay": func(t *rapid.T) {
					agent := rapid.SampledFrom([]string{"kicb", "bank"}).Draw(t, "agent")
					txn := rapid.IntRange(1, 6).Draw(t, "txn")
					account := rapid.SampledFrom(m.accounts).Draw(t, "account")
					sum := money.Amount(rapid.SampledFrom([]int64{0, 1, 9_999, 20_000, 20_001}).Draw(t, "sum"))
					m.pay(t, agent, fmt.Sprintf("%d%03d", txn, run), account, sum)
				},
				"block": func(t *rapid.T) { m.block(rapid.IntRange(0, 1).Draw(t, "wallet"), rapid.Bool().Draw(t, "blocked")) },
				"":      m.compare,
			})
		})
	})
}
