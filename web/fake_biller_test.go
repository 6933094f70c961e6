package web_test

import (
	"context"
	"sync"

	"elsom/internal/biller"
	"elsom/internal/money"
)

// fake is a biller that answers as it was told.
type fake struct {
	mu    sync.Mutex
	check biller.Answer
	pay   biller.Answer
	paid  map[string]money.Amount
	asked int
}

func refusal(result int) biller.Answer { return biller.Answer{Outcome: biller.Refused, Result: result} }

func (f *fake) Check(context.Context, biller.Request) biller.Answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return f.check
}

func (f *fake) Pay(_ context.Context, r biller.Request) biller.Answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pay.Outcome == biller.Good {
		f.paid[r.TxnID] = r.Sum
	}
	return f.pay
}

func (f *fake) says(check, pay biller.Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.check, f.pay = check, pay
}
