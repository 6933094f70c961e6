package history

import (
	"context"
	"time"

	"elsom/internal/fault"
	"elsom/internal/money"
)

// Statement is an account statement: the balance before a period, what moved, and the
// balance after it. A refund is an operation of its own, on its day.
type Statement struct {
	From, To         time.Time // days; To is the one after the last
	Opening, Closing money.Amount
	In, Out          money.Amount // without sign
	Count            int
}

// Last returns the last day of the statement.
func (s Statement) Last() time.Time { return s.To.AddDate(0, 0, -1) }

// Statement returns a wallet's statement, as it is now, without its operations.
func (h *History) Statement(ctx context.Context, account int64, from, to time.Time) (Statement, error) {
	found, err := h.sums(ctx, account, from, to)
	if err != nil {
		return Statement{}, fault.Wrap("history.statement", err)
	}
	s := Statement{From: from, To: to, Opening: found.opening}
	for k, c := range found.cells {
		if kind, in := k.operation(); kind != "" {
			s.Count += c.operations
			if in {
				s.In += c.amount
			} else {
				s.Out -= c.amount
			}
		}
	}
	s.Closing = s.Opening + s.In - s.Out
	return s, nil
}

// StatementPage returns up to n operations of a statement; see List.
func (h *History) StatementPage(ctx context.Context, account int64, s Statement, before int64, n int) (Page, error) {
	return h.List(ctx, account, Filter{From: s.From, To: s.To, statement: true}, before, n)
}

// Whole returns a statement with all of its operations, oldest first. Its sums are those
// of the operations, so that they agree though others are made meanwhile.
func (h *History) Whole(ctx context.Context, account int64, from, to time.Time) (Statement, []Operation, error) {
	s, err := h.Statement(ctx, account, from, to)
	if err != nil {
		return s, nil, err
	}
	if s.Count > MaxStated {
		return s, nil, fault.New(fault.Invalid, "history.statement", TooManyToState).At("from").With("Most", MaxStated)
	}
	list := make([]Operation, 0, s.Count)
	s.In, s.Out, s.Count = 0, 0, 0
	err = h.Each(ctx, account, Filter{From: from, To: to, statement: true}, func(o Operation) error {
		list = append(list, o)
		s.Count++
		if o.Amount > 0 {
			s.In += o.Amount
		} else {
			s.Out -= o.Amount
		}
		return nil
	})
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	s.Closing = s.Opening + s.In - s.Out
	return s, list, err
}
