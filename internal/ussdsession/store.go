package ussdsession

import (
	"context"
	"slices"
	"strings"

	"elsom/internal/database"
)

// row is a row of dialogues.
type row struct {
	ID             string
	Turn           int64
	HeardLength    int64
	HeardHash      string
	HeardMs        int64
	Content        string
	Claim          int64
	ClaimedUntilMs int64
	BeganMs        int64
	EndsMs         int64
}

func (ds *Sessions[C]) readRows(ctx context.Context, ids []string) ([]*row, error) {
	var rows []row
	these, list := database.InList(ds.db.Dialect(), ids)
	err := ds.db.Gorm(ctx).Raw(`SELECT id, turn, heard_length, heard_hash, heard_ms, content, claim, claimed_until_ms,
		began_ms, ends_ms FROM dialogues WHERE id `+these, list).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return database.AlignRows(ids, rows, func(r row) string { return r.ID }), nil
}

// insertRows begins dialogues. Of two with one name the first wins; a name
// whose dialogue is over begins anew.
func (ds *Sessions[C]) insertRows(ctx context.Context, rows []row) ([]bool, error) {
	now := ds.now().UnixMilli()
	return ds.write(ctx, rows, func(tx *database.Tx, rows []row) (ids []string, err error) {
		v, values := with(tx.Dialect(), rows)
		err = tx.Gorm().Raw(v+`
			INSERT INTO dialogues (id, turn, heard_length, heard_hash, heard_ms, content, claim, claimed_until_ms, began_ms, ends_ms)
			SELECT id, turn, heard_length, heard_hash, heard_ms, content, 0, 0, began_ms, ends_ms FROM v WHERE TRUE
			ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, heard_length = excluded.heard_length,
				heard_hash = excluded.heard_hash, heard_ms = excluded.heard_ms, content = excluded.content, claim = 0,
				claimed_until_ms = 0, began_ms = excluded.began_ms, ends_ms = excluded.ends_ms
			WHERE dialogues.ends_ms <= ? RETURNING id`, append(values, now)...).Scan(&ids).Error
		return ids, err
	})
}

// updateRows writes the next turn of dialogues that stand where the answers
// found them and that nobody else has claimed.
func (ds *Sessions[C]) updateRows(ctx context.Context, rows []row) ([]bool, error) {
	now := ds.now().UnixMilli()
	return ds.write(ctx, rows, func(tx *database.Tx, rows []row) (ids []string, err error) {
		v, values := with(tx.Dialect(), rows)
		//mutant:replace dialogues.turn = v. => dialogues.turn <> -v. TestOneAnswerWins
		err = tx.Gorm().Raw(v+`
			UPDATE dialogues SET turn = v.turn + 1, claim = 0, claimed_until_ms = 0, heard_length = v.heard_length,
				heard_hash = v.heard_hash, heard_ms = v.heard_ms, content = v.content,
				began_ms = v.began_ms, ends_ms = v.ends_ms
			FROM v WHERE dialogues.id = v.id AND dialogues.turn = v.turn
				AND (dialogues.claim = v.claim OR dialogues.claimed_until_ms <= ?) RETURNING dialogues.id`,
			append(values, now)...).Scan(&ids).Error
		return ids, err
	})
}

// with gives rows as a table v: arrays for PostgreSQL, so that the statement is
// the same for any number of rows and planned once; written out for SQLite.
func with(dialect database.Dialect, rows []row) (text string, values []any) {
	const head = "WITH v (id, turn, claim, heard_length, heard_hash, heard_ms, content, began_ms, ends_ms) AS ("
	if dialect == database.Postgres {
		return head + `SELECT * FROM unnest(?::varchar[], ?::bigint[], ?::bigint[], ?::bigint[], ?::varchar[], ?::bigint[],
			?::text[], ?::bigint[], ?::bigint[]))`, []any{
				column(rows, func(r row) string { return r.ID }), column(rows, func(r row) int64 { return r.Turn }),
				column(rows, func(r row) int64 { return r.Claim }), column(rows, func(r row) int64 { return r.HeardLength }),
				column(rows, func(r row) string { return r.HeardHash }), column(rows, func(r row) int64 { return r.HeardMs }),
				column(rows, func(r row) string { return r.Content }), column(rows, func(r row) int64 { return r.BeganMs }),
				column(rows, func(r row) int64 { return r.EndsMs }),
			}
	}
	for _, r := range rows {
		values = append(values, r.ID, r.Turn, r.Claim, r.HeardLength, r.HeardHash, r.HeardMs, r.Content, r.BeganMs, r.EndsMs)
	}
	return head + "VALUES (?,?,?,?,?,?,?,?,?)" + strings.Repeat(",(?,?,?,?,?,?,?,?,?)", len(rows)-1) + ")", values
}

// column is a pointer, which GORM hands to the driver as one array.
func column[T any](rows []row, of func(row) T) *[]T {
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = of(r)
	}
	return &values
}

// write runs a statement over the rows and tells which of them it wrote. Of
// several with one id each is tried until one is written: the first may come
// from who has no claim, and the next from who has it.
func (ds *Sessions[C]) write(ctx context.Context, rows []row, statement func(*database.Tx, []row) ([]string, error)) ([]bool, error) {
	written := make([]bool, len(rows))
	left := make([]int, len(rows))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		batch, again := map[string]int{}, []int{}
		single := make([]row, 0, len(left))
		for _, i := range left {
			if _, known := batch[rows[i].ID]; known {
				//mutant:drop TestClaimWinsWithinAStatement
				again = append(again, i)
				continue
			}
			batch[rows[i].ID] = i
			single = append(single, rows[i])
		}
		// In one order, so that two processes don't wait for each other.
		slices.SortFunc(single, func(a, b row) int { return strings.Compare(a.ID, b.ID) })
		var ids []string
		err := ds.db.InStatement(ctx, func(tx *database.Tx) (err error) {
			ids, err = statement(tx, single)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			written[batch[id]] = true
		}
		left = slices.DeleteFunc(again, func(i int) bool { return written[batch[rows[i].ID]] })
	}
	return written, nil
}

func (ds *Sessions[C]) acquireRow(ctx context.Context, r row) (won bool, err error) {
	err = ds.db.InStatement(ctx, func(tx *database.Tx) error {
		//mutant:replace OR claimed_until_ms => OR claim >= 0 OR claimed_until_ms TestOneClaimWins
		result := tx.Gorm().Exec(`UPDATE dialogues SET claim = ?, claimed_until_ms = ?
			WHERE id = ? AND turn = ? AND (claim IN (0, ?) OR claimed_until_ms <= ?)`,
			r.Claim, r.ClaimedUntilMs, r.ID, r.Turn, r.Claim, ds.now().UnixMilli())
		won = result.RowsAffected == 1
		return result.Error
	})
	return won, err
}

func (ds *Sessions[C]) releaseRow(ctx context.Context, r row) error {
	return ds.db.InStatement(ctx, func(tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE dialogues SET claim = 0, claimed_until_ms = 0 WHERE id = ? AND turn = ? AND claim = ?`,
			r.ID, r.Turn, r.Claim).Error
	})
}

func (ds *Sessions[C]) purge(ctx context.Context, nowMs int64) (int64, error) {
	// The first condition spares a dialogue that began anew meanwhile.
	return ds.db.Purge(ctx, `DELETE FROM dialogues WHERE ends_ms <= ? AND id IN
		(SELECT id FROM dialogues WHERE ends_ms <= ? LIMIT ?)`, nowMs, nowMs)
}
