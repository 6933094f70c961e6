package ledger

import (
	"context"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// newestQuery asks for the newest n lines of a wallet.
type newestQuery struct {
	wallet int64
	n      int
}

// newest is a wallet's row with its newest lines.
type newest struct {
	stateRow
	lines []Line
}

// newestRow is a wallet's row with one of its lines; without a transfer if it has none.
type newestRow struct {
	number int64 // of the query, from 1
	wallet stateRow
	line   Line
}

func (r *newestRow) scanTargets() []any {
	w, l := &r.wallet, &r.line
	return []any{
		&r.number, &w.balance, &w.counted, &w.sum.in, &w.sum.outs, &w.sum.out, &w.sum.spent.On, &w.sum.spent.Day, &w.sum.spent.Month,
		&l.Transfer, &l.Amount, &l.Key, &l.Op, &l.Subject.Type, &l.Subject.ID, &l.PostedAt, &l.Till,
	}
}

// readNewest reads wallets for concurrent queries in one statement on PostgreSQL; nil for
// one that there is not. Each LIMIT makes PostgreSQL read by a key of an index, whatever
// the statistics are.
func (l *Ledger) readNewest(ctx context.Context, queries []newestQuery) ([]*newest, error) {
	wallets, limits := make([]int64, len(queries)), make([]int64, len(queries))
	for i, q := range queries {
		wallets[i], limits[i] = q.wallet, int64(q.n)
	}
	rows, err := database.ScanAll(l.db.Gorm(ctx).Raw(`SELECT w.number, `+stateColumns+`,
			COALESCE(l.transfer_id, 0), COALESCE(l.amount, 0), COALESCE(l.request_key, ''), COALESCE(l.act, ''), COALESCE(l.subject_kind, ''),
			COALESCE(l.subject_id, 0), COALESCE(l.posted_at, a.opened_at), COALESCE(l.till, '')
		FROM unnest(?::bigint[], ?::bigint[]) WITH ORDINALITY w(wallet, n, number)
		CROSS JOIN LATERAL (SELECT * FROM accounts WHERE id = w.wallet LIMIT 1) a
		LEFT JOIN LATERAL (
			SELECT e.transfer_id, e.amount, t.request_key, t.act, t.subject_kind, t.subject_id, t.posted_at,
				CASE WHEN t.subject_kind IS NULL OR t.subject_kind = 'cash_in' THEN (SELECT till.subject FROM entries o
					JOIN accounts till ON till.id = o.account_id AND till.kind = 'till' WHERE o.transfer_id = e.transfer_id LIMIT 1) END AS till
			FROM (SELECT transfer_id, amount FROM entries WHERE account_id = w.wallet ORDER BY transfer_id DESC LIMIT w.n) e
			CROSS JOIN LATERAL (SELECT * FROM transfers WHERE id = e.transfer_id LIMIT 1) t
		) l ON TRUE
		ORDER BY w.number, l.transfer_id DESC`, &wallets, &limits), (*newestRow).scanTargets)
	if err != nil {
		return nil, err
	}
	found := make([]*newest, len(queries))
	for _, r := range rows {
		of := &found[r.number-1]
		if *of == nil {
			*of = &newest{stateRow: r.wallet}
		}
		if r.line.Transfer != 0 {
			(*of).lines = append((*of).lines, r.line)
		}
	}
	return found, nil
}

// Newest returns the state of a wallet with up to q.Limit lines of both directions, the
// newest first, as Statement does. Concurrent calls share a statement.
func (l *Ledger) Newest(ctx context.Context, q Query) (state State, lines []Line, more int64, err error) {
	const op = "ledger.newest"
	if l.db.Dialect() == database.SQLite { // which has no LATERAL, and no round trips to save
		if state, err = l.State(ctx, q.Account); err == nil {
			lines, more, err = l.Statement(ctx, q, 0)
		}
		return state, lines, more, err
	}
	found, err := l.newest.Do(ctx, newestQuery{q.Account, q.Limit})
	switch {
	case err != nil:
		return State{}, nil, 0, fault.Wrap(op, err)
	case found == nil:
		return State{}, nil, 0, fault.New(fault.NotFound, op, "")
	}
	if state = found.state(); !found.counted {
		if state, err = l.State(ctx, q.Account); err != nil {
			return State{}, nil, 0, err
		}
	}
	for _, line := range found.lines {
		//mutant:replace line.Op != q.ExcludeOp => true TestNewestIsTheStatement
		if line.Op != q.ExcludeOp {
			lines = append(lines, line)
		}
	}
	//mutant:replace len(found.lines) == q.Limit && len(lines) < q.Limit => false TestNewestIsTheStatement
	if len(found.lines) == q.Limit && len(lines) < q.Limit { // there may be more than were read
		lines, more, err = l.Statement(ctx, q, 0)
	}
	return state, lines, more, err
}
