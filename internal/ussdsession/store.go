package ussdsession

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"elsom/internal/database"
)

// row is a row of the table dialogues, whose fields have the columns' old names:
// Turn is the step's number, Claim the id of the lease (0: none), and Heard… are
// length, keyed hash and time (Unix ms) of the last input.
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

func (ss *Sessions[C]) readRows(ctx context.Context, ids []string) ([]*row, error) {
	these, list := database.InList(ss.db.Dialect(), ids)
	rows, err := database.ScanAll(ss.db.Gorm(ctx).Raw(`SELECT id, turn, heard_length, heard_hash, heard_ms, content, claim, claimed_until_ms,
		began_ms, ends_ms FROM dialogues WHERE id `+these, list), func(r *row) []any {
		return []any{&r.ID, &r.Turn, &r.HeardLength, &r.HeardHash, &r.HeardMs, &r.Content, &r.Claim, &r.ClaimedUntilMs, &r.BeganMs, &r.EndsMs}
	})
	if err != nil {
		return nil, err
	}
	return database.AlignRows(ids, rows, func(r row) string { return r.ID }), nil
}

// insertRows creates sessions. Of two with the same id the first wins; an expired
// session is replaced.
func (ss *Sessions[C]) insertRows(ctx context.Context, rows []row) ([]bool, error) {
	now := ss.now().UnixMilli()
	return ss.write(ctx, rows, func(tx *database.Tx, rows []row) ([]string, error) {
		v, values := with(tx.Dialect(), rows)
		return scanIDs(tx.Gorm().Raw(v+`
			INSERT INTO dialogues (id, turn, heard_length, heard_hash, heard_ms, content, claim, claimed_until_ms, began_ms, ends_ms)
			SELECT id, turn, heard_length, heard_hash, heard_ms, content, 0, 0, began_ms, ends_ms FROM v WHERE TRUE
			ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, heard_length = excluded.heard_length,
				heard_hash = excluded.heard_hash, heard_ms = excluded.heard_ms, content = excluded.content, claim = 0,
				claimed_until_ms = 0, began_ms = excluded.began_ms, ends_ms = excluded.ends_ms
			WHERE dialogues.ends_ms <= ? RETURNING id`, append(values, now)...))
	})
}

// updateRows writes the next step of the sessions that are at the step that the
// rows name and that no other request has leased.
func (ss *Sessions[C]) updateRows(ctx context.Context, rows []row) ([]bool, error) {
	now := ss.now().UnixMilli()
	return ss.write(ctx, rows, func(tx *database.Tx, rows []row) ([]string, error) {
		v, values := with(tx.Dialect(), rows)
		//mutant:replace dialogues.turn = v. => dialogues.turn <> -v. TestOneAdvanceWins
		return scanIDs(tx.Gorm().Raw(v+`
			UPDATE dialogues SET turn = v.turn + 1, claim = 0, claimed_until_ms = 0, heard_length = v.heard_length,
				heard_hash = v.heard_hash, heard_ms = v.heard_ms, content = v.content,
				began_ms = v.began_ms, ends_ms = v.ends_ms
			FROM v WHERE dialogues.id = v.id AND dialogues.turn = v.turn
				AND (dialogues.claim = v.claim OR dialogues.claimed_until_ms <= ?) RETURNING dialogues.id`,
			append(values, now)...))
	})
}

func scanIDs(query *gorm.DB) ([]string, error) {
	return database.ScanAll(query, func(id *string) []any { return []any{id} })
}

// with returns rows as a table v: arrays for PostgreSQL, so that the statement is
// the same for any number of rows and is planned once; a VALUES list for SQLite.
//
// PostgreSQL commits the statement without waiting for its disk or its standbys. A
// step that a crash loses is asked again. The lease of an operation and the operation
// itself are committed by other statements, which wait.
func with(dialect database.Dialect, rows []row) (text string, values []any) {
	const head = "WITH v (id, turn, claim, heard_length, heard_hash, heard_ms, content, began_ms, ends_ms) AS ("
	if dialect == database.Postgres {
		//mutant:replace 'off', TRUE => 'off', FALSE TestOtherStatementsWaitForTheDisk
		return head + `SELECT r.* FROM unnest(?::varchar[], ?::bigint[], ?::bigint[], ?::bigint[], ?::varchar[], ?::bigint[],
			?::text[], ?::bigint[], ?::bigint[]) r, (SELECT set_config('synchronous_commit', 'off', TRUE)) c)`, []any{
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

// column returns one field of all rows, as a pointer, which GORM passes to the
// driver as one array.
func column[T any](rows []row, of func(row) T) *[]T {
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = of(r)
	}
	return &values
}

// write runs a statement over the rows and reports for each whether it was
// written. Rows with the same id are tried one after the other until one is
// written: the first may lack the lease that the next one holds.
func (ss *Sessions[C]) write(ctx context.Context, rows []row, statement func(*database.Tx, []row) ([]string, error)) ([]bool, error) {
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
				//mutant:drop TestLeaseHolderWinsWithinAStatement
				again = append(again, i)
				continue
			}
			batch[rows[i].ID] = i
			single = append(single, rows[i])
		}
		// Sorted, so that two processes don't deadlock.
		slices.SortFunc(single, func(a, b row) int { return strings.Compare(a.ID, b.ID) })
		var ids []string
		err := ss.db.InStatement(ctx, func(tx *database.Tx) (err error) {
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

func (ss *Sessions[C]) acquireRow(ctx context.Context, r row) (won bool, err error) {
	err = ss.db.InStatement(ctx, func(tx *database.Tx) error {
		//mutant:replace OR claimed_until_ms => OR claim >= 0 OR claimed_until_ms TestOneRequestAcquires
		result := tx.Gorm().Exec(`UPDATE dialogues SET claim = ?, claimed_until_ms = ?
			WHERE id = ? AND turn = ? AND (claim IN (0, ?) OR claimed_until_ms <= ?)`,
			r.Claim, r.ClaimedUntilMs, r.ID, r.Turn, r.Claim, ss.now().UnixMilli())
		won = result.RowsAffected == 1
		return result.Error
	})
	return won, err
}

func (ss *Sessions[C]) releaseRow(ctx context.Context, r row) error {
	return ss.db.InStatement(ctx, func(tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE dialogues SET claim = 0, claimed_until_ms = 0 WHERE id = ? AND turn = ? AND claim = ?`,
			r.ID, r.Turn, r.Claim).Error
	})
}

func (ss *Sessions[C]) purge(ctx context.Context, nowMs int64) (int64, error) {
	// The first condition is checked again on the locked row: the session may have
	// been replaced since the sub-select.
	return ss.db.Purge(ctx, `DELETE FROM dialogues WHERE ends_ms <= ? AND id IN
		(SELECT id FROM dialogues WHERE ends_ms <= ? LIMIT ?)`, nowMs, nowMs)
}
