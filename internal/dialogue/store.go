package dialogue

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

func (ds *Dialogues) readRows(ctx context.Context, ids []string) ([]*row, error) {
	var rows []row
	err := ds.db.Gorm(ctx).Raw(`SELECT id, turn, heard_length, heard_hash, heard_ms, content, claim, claimed_until_ms,
		began_ms, ends_ms FROM dialogues WHERE id IN ?`, ids).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*row, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	found := make([]*row, len(ids))
	for i, id := range ids {
		found[i] = byID[id]
	}
	return found, nil
}

// insertRows begins dialogues. Of two with one name the first wins; a name
// whose dialogue is over begins anew.
func (ds *Dialogues) insertRows(ctx context.Context, rows []row) ([]bool, error) {
	now := ds.now().UnixMilli()
	return ds.write(ctx, rows, func(tx *database.Tx, rows []row) (ids []string, err error) {
		values := make([]any, 0, len(rows)*8+1)
		for _, r := range rows {
			values = append(values, r.ID, r.Turn, r.HeardLength, r.HeardHash, r.HeardMs, r.Content, r.BeganMs, r.EndsMs)
		}
		err = tx.Gorm().Raw(`INSERT INTO dialogues (id, turn, heard_length, heard_hash, heard_ms, content, claim,
				claimed_until_ms, began_ms, ends_ms) VALUES (?,?,?,?,?,?,0,0,?,?)`+
			strings.Repeat(",(?,?,?,?,?,?,0,0,?,?)", len(rows)-1)+`
			ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, heard_length = excluded.heard_length,
				heard_hash = excluded.heard_hash, heard_ms = excluded.heard_ms, content = excluded.content, claim = 0,
				claimed_until_ms = 0, began_ms = excluded.began_ms, ends_ms = excluded.ends_ms
			WHERE dialogues.ends_ms <= ? RETURNING id`, append(values, now)...).Scan(&ids).Error
		return ids, err
	})
}

// updateRows writes the next turn of dialogues that stand where the answers
// found them and that nobody else has claimed.
func (ds *Dialogues) updateRows(ctx context.Context, rows []row) ([]bool, error) {
	now := ds.now().UnixMilli()
	return ds.write(ctx, rows, func(tx *database.Tx, rows []row) (ids []string, err error) {
		values := make([]any, 0, len(rows)*9+1)
		for _, r := range rows {
			values = append(values, r.ID, r.Turn, r.Claim, r.HeardLength, r.HeardHash, r.HeardMs, r.Content,
				r.BeganMs, r.EndsMs)
		}
		err = tx.Gorm().Raw(`WITH v (id, turn, claim, heard_length, heard_hash, heard_ms, content, began_ms, ends_ms) AS (VALUES
				(CAST(? AS VARCHAR), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS VARCHAR),
					CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT))`+
			strings.Repeat(",(?,?,?,?,?,?,?,?,?)", len(rows)-1)+`)
			UPDATE dialogues SET turn = v.turn + 1, claim = 0, claimed_until_ms = 0, heard_length = v.heard_length,
				heard_hash = v.heard_hash, heard_ms = v.heard_ms, content = v.content,
				began_ms = v.began_ms, ends_ms = v.ends_ms
			FROM v WHERE dialogues.id = v.id AND dialogues.turn = v.turn
				AND (dialogues.claim = v.claim OR dialogues.claimed_until_ms <= ?) RETURNING dialogues.id`,
			append(values, now)...).Scan(&ids).Error
		return ids, err
	})
}

// write runs a statement over the rows, of those with one id only the first,
// and tells which of them it wrote.
func (ds *Dialogues) write(ctx context.Context, rows []row, statement func(*database.Tx, []row) ([]string, error)) ([]bool, error) {
	first := make(map[string]int, len(rows))
	for i, r := range rows {
		if _, known := first[r.ID]; !known {
			first[r.ID] = i
		}
	}
	single := make([]row, 0, len(first))
	for i, r := range rows {
		if first[r.ID] == i {
			single = append(single, r)
		}
	}
	// In one order, so that two processes don't wait for each other.
	slices.SortFunc(single, func(a, b row) int { return strings.Compare(a.ID, b.ID) })
	written := make([]bool, len(rows))
	err := ds.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		ids, err := statement(tx, single)
		clear(written)
		for _, id := range ids {
			written[first[id]] = true
		}
		return err
	})
	return written, err
}

func (ds *Dialogues) claimRow(ctx context.Context, r row) (won bool, err error) {
	err = ds.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Exec(`UPDATE dialogues SET claim = ?, claimed_until_ms = ?
			WHERE id = ? AND turn = ? AND (claim = 0 OR claimed_until_ms <= ?)`,
			r.Claim, r.ClaimedUntilMs, r.ID, r.Turn, ds.now().UnixMilli())
		won = result.RowsAffected == 1
		return result.Error
	})
	return won, err
}

func (ds *Dialogues) releaseRow(ctx context.Context, r row) error {
	return ds.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE dialogues SET claim = 0, claimed_until_ms = 0 WHERE id = ? AND turn = ? AND claim = ?`,
			r.ID, r.Turn, r.Claim).Error
	})
}

func (ds *Dialogues) purge(ctx context.Context, nowMs int64) (int64, error) {
	// The first condition spares a dialogue that began anew meanwhile.
	return ds.db.Purge(ctx, `DELETE FROM dialogues WHERE ends_ms <= ? AND id IN
		(SELECT id FROM dialogues WHERE ends_ms <= ? LIMIT ?)`, nowMs, nowMs)
}
