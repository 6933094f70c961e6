package cashin_test

import (
	"context"
	"fmt"

	"pgregory.net/rapid"

	"elsom/internal/cashin"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/phone"
)

// lateBooks records a posting instead of posting it.
type lateBooks struct {
	cashin.Books
	delayed ledger.Posting
}

func (l *lateBooks) Post(_ context.Context, p ledger.Posting) (ledger.Receipt, error) {
	l.delayed = p
	return ledger.Receipt{}, fault.New(fault.Unknown, "late", "")
}

// model predicts the answers. Each run has wallets and ids of its own; the agents'
// debts continue from run to run.
type model struct {
	fixture  *fixture
	numbers  []phone.Number
	accounts []string
	blocked  map[phone.Number]bool
	balances map[phone.Number]money.Amount
	owes     map[string]money.Amount
	answered map[string]answered
}

type answered struct {
	account string
	sum     money.Amount
	answer  cashin.Answer
}

func newModel(d *fixture, run int) *model {
	m := &model{
		fixture: d, blocked: map[phone.Number]bool{}, balances: map[phone.Number]money.Amount{},
		owes:     map[string]money.Amount{"kicb": d.owes("kicb"), "bank": d.owes("bank")},
		answered: map[string]answered{},
	}
	for i := range 2 {
		number := phone.Number(fmt.Sprintf("+996550%06d", run*2+i))
		d.open(number)
		m.numbers = append(m.numbers, number)
		m.accounts = append(m.accounts, number.String(), "0"+number.National())
	}
	m.accounts = append(m.accounts, "junk", nobody)
	return m
}

func (m *model) block(wallet int, blocked bool) {
	m.blocked[m.numbers[wallet]] = blocked
	m.fixture.wallets.block(m.numbers[wallet], blocked)
}

func (m *model) pay(t *rapid.T, agent, txn, account string, sum money.Amount) {
	number, err := phone.Parse(account)
	if err == nil {
		account = number.String()
	}
	answer, err := m.fixture.PayIn(context.Background(), m.fixture.agents[agent], request(txn, account, sum))
	was, known := m.answered[agent+" "+txn]
	if known {
		if was.account != account || was.sum != sum {
			if !fault.Is(err, fault.Conflict) {
				t.Fatalf("other content: %+v, %v", answer, err)
			}
			return
		}
		if err != nil || answer != was.answer {
			t.Fatalf("first %+v, then %+v, %v", was.answer, answer, err)
		}
		return
	}
	want := m.result(agent, number, sum)
	if err != nil || answer.Result != want {
		t.Fatalf("%s %s %s %s: %+v, %v; want %d", agent, txn, account, sum, answer, err, want)
	}
	if want == cashin.Done {
		m.balances[number] += sum
		m.owes[agent] += sum
	}
	m.answered[agent+" "+txn] = answered{account, sum, answer}
}

func (m *model) result(agent string, number phone.Number, sum money.Amount) cashin.Result {
	_, exists := m.fixture.wallets.byPhone[number]
	switch {
	case number == "":
		return cashin.BadAccount
	case !exists:
		return cashin.NoWallet
	case m.blocked[number]:
		return cashin.Blocked
	case sum == 0:
		return cashin.TooSmall
	case sum > operation:
		return cashin.TooLarge
	case m.owes[agent]+sum > m.fixture.agents[agent].Ceiling: // reported first if the wallet is full too
		return cashin.Refused
	case m.balances[number]+sum > balance:
		return cashin.TooLarge
	}
	return cashin.Done
}

func (m *model) compare(t *rapid.T) {
	for _, number := range m.numbers {
		if got := m.fixture.balance(number); got != m.balances[number] {
			t.Fatalf("%s holds %s, want %s", number, got, m.balances[number])
		}
	}
	for agent, owes := range m.owes {
		if got := m.fixture.owes(agent); got != owes {
			t.Fatalf("%s owes %s, want %s", agent, got, owes)
		}
	}
}
