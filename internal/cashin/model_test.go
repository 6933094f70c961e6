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

// lateBooks keeps a posting instead of posting it.
type lateBooks struct {
	cashin.Books
	kept ledger.Posting
}

func (l *lateBooks) Post(_ context.Context, p ledger.Posting) (ledger.Receipt, error) {
	l.kept = p
	return ledger.Receipt{}, fault.New(fault.Unknown, "late", "")
}

// model says what a cash-in has to answer, with nothing but maps. Each run has
// wallets and ids of its own; the agents' debts go on from run to run.
type model struct {
	desk     *desk
	numbers  []phone.Number
	accounts []string
	blocked  map[phone.Number]bool
	holds    map[phone.Number]money.Amount
	owes     map[string]money.Amount
	decided  map[string]decision
}

type decision struct {
	account string
	sum     money.Amount
	answer  cashin.Answer
}

func newModel(d *desk, run int) *model {
	m := &model{
		desk: d, blocked: map[phone.Number]bool{}, holds: map[phone.Number]money.Amount{},
		owes:    map[string]money.Amount{"kicb": d.owes("kicb"), "bank": d.owes("bank")},
		decided: map[string]decision{},
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
	m.desk.holder.block(m.numbers[wallet], blocked)
}

func (m *model) pay(t *rapid.T, agent, txn, account string, sum money.Amount) {
	number, err := phone.Parse(account)
	if err == nil {
		account = number.String()
	}
	answer, err := m.desk.PayIn(context.Background(), m.desk.agents[agent], request(txn, account, sum))
	was, known := m.decided[agent+" "+txn]
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
	want := m.judge(agent, number, sum)
	if err != nil || answer.Result != want {
		t.Fatalf("%s %s %s %s: %+v, %v; want %d", agent, txn, account, sum, answer, err, want)
	}
	if want == cashin.Done {
		m.holds[number] += sum
		m.owes[agent] += sum
	}
	m.decided[agent+" "+txn] = decision{account, sum, answer}
}

func (m *model) judge(agent string, number phone.Number, sum money.Amount) cashin.Result {
	_, exists := m.desk.holder.wallets[number]
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
	case m.owes[agent]+sum > m.desk.agents[agent].Ceiling: // named first where the wallet is full too
		return cashin.Refused
	case m.holds[number]+sum > balance:
		return cashin.TooLarge
	}
	return cashin.Done
}

func (m *model) compare(t *rapid.T) {
	for _, number := range m.numbers {
		if got := m.desk.holds(number); got != m.holds[number] {
			t.Fatalf("%s holds %s, want %s", number, got, m.holds[number])
		}
	}
	for agent, owes := range m.owes {
		if got := m.desk.owes(agent); got != owes {
			t.Fatalf("%s owes %s, want %s", agent, got, owes)
		}
	}
}
