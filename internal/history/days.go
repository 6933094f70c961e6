package history

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// A wallet with many operations has the sums of its days up to its mark, a transfer: a row
// for each day, kind and service with operations. They are a function of the entries
// up to the mark alone, whatever states payments have. A refund moves its payment from kind
// payment to kind refunded, on the day of the payment, and is of kind refund on its own
// day. Of kind end is the balance after the day's last entry up to the mark.
//
// The mark moves when a history is shown and many operations are behind it, never to an
// entry of the last minutes, before which another one could still be committed. What is
// behind the mark is read as it is.

const (
	kindRefunded = "refunded"
	kindEnd      = "end"
	otherIn      = "other_in"
	otherOut     = "other_out"
)

const (
	// settled is the age from which no entry is committed before another one: far longer
	// than a posting is tried.
	settled = 15 * time.Minute
	// chunks is how many transactions of a request sum up entries. A wallet with more
	// entries takes several requests, once.
	chunks = 40
	// maxRecent bounds what is read behind the mark when it can't move on.
	maxRecent = 20_000
)

// key identifies a sum: one day of operations of a kind and service.
type key struct {
	day           int64 // as ledger.DayOf returns it
	kind, service string
}

// cell has sums.
type cell struct {
	operations int
	amount     money.Amount
}

// operation returns the kind of the operations of a key, and whether they are credits;
// no kind: it has no operations.
func (k key) operation() (kind Kind, in bool) {
	switch k.kind {
	case kindEnd:
		return "", false
	case kindRefunded:
		return Payment, false
	case otherIn:
		return Other, true
	case otherOut:
		return Other, false
	}
	kind = Kind(k.kind)
	return kind, kind == CashIn || kind == Received || kind == Refund
}

// cellOf returns the sums of one operation.
func cellOf(o Operation) (key, cell) {
	k := key{day: ledger.DayOf(o.At), kind: string(o.Kind), service: o.Service}
	if o.Kind == Other {
		k.kind = otherOut
		if o.Amount > 0 {
			k.kind = otherIn
		}
	}
	return k, cell{1, o.Amount}
}

// cells has sums by what they are of.
type cells map[key]cell

func (all cells) change(k key, operations int, amount money.Amount) {
	c := all[k]
	all[k] = cell{c.operations + operations, c.amount + amount}
}

// add adds an entry.
func (all cells) add(r row) {
	k, c := cellOf(r.Operation)
	all.change(k, c.operations, c.amount)
	//mutant:replace r.Kind == Refund => false TestTotalsAreOfWhatIsListed
	if r.Kind == Refund && !r.paidAt.IsZero() {
		k.day, k.kind = ledger.DayOf(r.paidAt), string(Payment)
		all.change(k, -1, r.Amount)
		k.kind = kindRefunded
		all.change(k, 1, -r.Amount)
	}
}

// sums are the sums of a wallet's days in a period.
type sums struct {
	cells   cells
	opening money.Amount // the balance before the period
}

// operations returns the number of operations, refunds not among them.
func (s sums) operations() (n int) {
	for k, c := range s.cells {
		if kind, _ := k.operation(); kind != "" && kind != Refund {
			n += c.operations
		}
	}
	return n
}

// sums returns the sums of a period.
func (h *History) sums(ctx context.Context, account int64, from, to time.Time) (sums, error) {
	first, last := ledger.DayOf(from), ledger.DayOf(to.Add(-time.Second))
	m, found, err := h.readSums(ctx, account, first, last)
	if err != nil {
		return sums{}, err
	}
	recent, err := h.behind(ctx, account, m.transfer, h.readAsIs+1)
	if err != nil {
		return sums{}, err
	}
	if len(recent) > h.readAsIs {
		if err := h.sumUp(ctx, account); err != nil {
			return sums{}, err
		}
		if m, found, err = h.readSums(ctx, account, first, last); err != nil {
			return sums{}, err
		}
		if recent, err = h.behind(ctx, account, m.transfer, maxRecent); err != nil {
			return sums{}, err
		}
		if len(recent) == maxRecent {
			return sums{}, fault.New(fault.Unavailable, "history.sums", StillSumming)
		}
	}
	s := sums{cells: found, opening: m.opening}
	tail := cells{}
	for _, r := range recent {
		tail.add(r)
		//mutant:replace ledger.DayOf(r.At) < first => false TestStatementsAgreeWithTheBooks
		if ledger.DayOf(r.At) < first {
			s.opening += r.Amount
		}
	}
	for k, c := range tail {
		if k.day >= first && k.day <= last {
			s.cells.change(k, c.operations, c.amount)
		}
	}
	return s, nil
}

// behind returns up to limit entries after the mark, oldest first.
func (h *History) behind(ctx context.Context, account, mark int64, limit int) ([]row, error) {
	return h.rows(ctx, window{account: account, after: mark, before: maxID, limit: limit})
}

// sumUp moves a wallet's mark to its newest settled entry.
func (h *History) sumUp(ctx context.Context, account int64) error {
	for range chunks {
		n := 0
		err := h.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
			n, err = sumChunk(tx, account, h.chunk)
			return err
		})
		if err != nil || n < h.chunk {
			return err
		}
	}
	return fault.New(fault.Unavailable, "history.sums", StillSumming)
}

// sumChunk moves a wallet's mark by up to limit entries, and returns their number.
func sumChunk(tx *database.Tx, account int64, limit int) (int, error) {
	m, err := lockMark(tx, account)
	if err != nil {
		return 0, err
	}
	//mutant:replace .Add(-settled) => TestEntriesOfLastMinutesAreNotSummed
	before := database.FirstID(tx.Now().Add(-settled))
	rows, err := rowsInTx(tx, window{account: account, after: m.transfer, before: before, limit: limit})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	changed, ends := cells{}, cells{}
	for _, r := range rows {
		changed.add(r)
		m.transfer, m.balance, m.entries = r.ID, m.balance+r.Amount, m.entries+1
		ends[key{day: ledger.DayOf(r.At), kind: kindEnd}] = cell{0, m.balance}
	}
	if err := addDays(tx, account, changed); err != nil {
		return 0, err
	}
	if err := setDays(tx, account, ends); err != nil {
		return 0, err
	}
	return len(rows), updateMark(tx, account, m)
}
