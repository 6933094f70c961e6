package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"elsom/internal/database"
)

const maxPayload = 8000

func rowsOf(tx *database.Tx, promises []Promise) (database.Rows, error) {
	var ids []int64
	var lanes, keys, payloads []string
	var due []time.Time
	now := tx.Now()
	for _, p := range promises {
		payload, err := json.Marshal(p.Payload)
		if err != nil {
			return database.Rows{}, fmt.Errorf("outbox: payload of %s: %w", p.Lane, err)
		}
		if len(payload) > maxPayload {
			return database.Rows{}, fmt.Errorf("outbox: payload of %s has %d bytes", p.Lane, len(payload))
		}
		at := now
		if p.NotBefore.After(now) {
			at = database.Moment(p.NotBefore)
		}
		ids, lanes, keys = append(ids, tx.NewID()), append(lanes, p.Lane), append(keys, p.Key)
		payloads, due = append(payloads, string(payload)), append(due, at)
	}
	return database.Rows{Table: "promises", Columns: []database.Column{
		database.Of("id", "bigint", ids), database.Of("lane", "text", lanes), database.Of("key", "text", keys),
		database.Of("payload", "text", payloads), database.Same("state", "text", "open"),
		database.Of("due_at", "timestamptz", due), database.Same("made_at", "timestamptz", now),
	}}, nil
}

func claim(tx *database.Tx, lane string, n int, lease time.Duration) ([]Task, error) {
	skip, them := "", "IN (SELECT id FROM picked)"
	if tx.Dialect() == database.Postgres {
		//mutant:replace FOR UPDATE SKIP LOCKED => TestClaimedOnce
		skip = " FOR UPDATE SKIP LOCKED"
		// An array, and no more asked of its rows, which are locked as they were
		// picked: PostgreSQL can't know how few they are, and would read all that
		// are open to join them.
		//mutant:drop TestPlansReadWhatIsMeant
		them = "= ANY (ARRAY(SELECT id FROM picked))"
	}
	type row struct {
		ID      int64
		Key     string
		Payload string
		Tries   int
	}
	var rows []row
	now, token := tx.Now(), tx.NewID()
	// MATERIALIZED matters: PostgreSQL may run a plain subquery once for each
	// row that it updates, and a LIMIT counts each run anew.
	err := tx.Gorm().Raw(`WITH picked AS MATERIALIZED (SELECT id FROM promises
			WHERE lane = ? AND state = 'open' AND due_at <= ? ORDER BY due_at LIMIT ?`+skip+`)
		UPDATE promises SET lease = ?, due_at = ?, tries = tries + 1
		WHERE id `+them+`
		RETURNING id, key, payload, tries`,
		lane, now, n, token, database.Moment(now.Add(lease))).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	tasks := make([]Task, len(rows))
	for i, r := range rows {
		tasks[i] = Task{ID: r.ID, Lane: lane, Key: r.Key, Payload: json.RawMessage(r.Payload), Tries: r.Tries, Lease: token}
	}
	return tasks, nil
}

func leased(tx *database.Tx, lane string, lease time.Duration) ([]Task, error) {
	var rows []struct {
		ID      int64
		Key     string
		Payload string
		Tries   int
	}
	now := tx.Now()
	// A claimed promise is due when its lease ends: the index of what is due has them.
	err := tx.Gorm().Raw(`SELECT id, key, payload, tries FROM promises
		WHERE lane = ? AND state = 'open' AND due_at > ? AND due_at <= ? AND lease <> 0`,
		lane, now, database.Moment(now.Add(lease))).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	tasks := make([]Task, len(rows))
	for i, r := range rows {
		tasks[i] = Task{ID: r.ID, Lane: lane, Key: r.Key, Payload: json.RawMessage(r.Payload), Tries: r.Tries}
	}
	return tasks, nil
}

// unended is true of open promises. Who knows which rows are meant says it so:
// after the words of the index of those that are open PostgreSQL, which knows
// neither how many are meant nor how many are open just now, reads them all.
//
//mutant:replace state NOT IN ('kept', 'failed') => state = 'open' TestPlansReadWhatIsMeant
const unended = "state NOT IN ('kept', 'failed')"

// keep ends promises, whoever has their leases; one that had ended before
// stays as it ended.
func keep(tx *database.Tx, tasks []Task) error {
	ids := make([]int64, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	these, list := database.Among(tx.Dialect(), ids)
	//mutant:replace payload = '', => TestClaimAndKeep
	return tx.Gorm().Exec("UPDATE promises SET state = 'kept', payload = '', ended_at = ? WHERE id "+these+" AND "+unended,
		tx.Now(), list).Error
}

func giveUp(tx *database.Tx, tasks []Task) error {
	v, args := claimed(tx, tasks)
	//mutant:replace promises.lease = v.lease AND => TestLeaseRunsOut
	return tx.Gorm().Exec("WITH v(id, lease) AS ("+v+") UPDATE promises SET state = 'failed', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+unended, append(args, tx.Now())...).Error
}

// claimed are tasks with their leases as a table.
func claimed(tx *database.Tx, tasks []Task) (query string, args []any) {
	ids, leases := make([]int64, len(tasks)), make([]int64, len(tasks))
	for i, t := range tasks {
		ids[i], leases[i] = t.ID, t.Lease
	}
	return tx.Values(database.Of("id", "bigint", ids), database.Of("lease", "bigint", leases))
}

func keepNamed(tx *database.Tx, names []Name) error {
	lanes, keys := make([]string, len(names)), make([]string, len(names))
	for i, n := range names {
		lanes[i], keys[i] = n.Lane, n.Key
	}
	v, args := tx.Values(database.Of("lane", "text", lanes), database.Of("key", "text", keys))
	// One look for each: how many there are of anything is unknown when this is
	// planned, perhaps for an empty table.
	found := "(SELECT (SELECT id FROM promises WHERE promises.lane = v.lane AND promises.key = v.key) FROM v)"
	them := "IN " + found
	if tx.Dialect() == database.Postgres {
		them = "= ANY (ARRAY" + found + ")"
	}
	return tx.Gorm().Exec("WITH v(lane, key) AS ("+v+") UPDATE promises SET state = 'kept', payload = '', ended_at = ?"+
		" WHERE id "+them+" AND "+unended, append(args, tx.Now())...).Error
}

func countDue(ctx context.Context, db *database.DB, lane string, most int) (n int, err error) {
	err = db.Gorm(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM promises WHERE lane = ? AND state = 'open' AND due_at <= ? LIMIT ?) due",
		lane, db.Now(), most).Scan(&n).Error
	return n, err
}

// readLanes goes from lane to lane by the index of what is due, past all that
// is open in each.
func readLanes(ctx context.Context, db *database.DB) (lanes []string, err error) {
	const open = "(SELECT MIN(lane) FROM promises WHERE state = 'open'"
	err = db.Gorm(ctx).Raw("WITH RECURSIVE l(lane) AS (SELECT " + open + ") UNION ALL SELECT " + open + " AND promises.lane > l.lane)" +
		" FROM l WHERE l.lane IS NOT NULL) SELECT lane FROM l WHERE lane IS NOT NULL").Scan(&lanes).Error
	return lanes, err
}

func countOpen(ctx context.Context, db *database.DB, lane, prefix string) (n int, err error) {
	err = db.Gorm(ctx).Raw("SELECT COUNT(*) FROM promises WHERE lane = ? AND state = 'open' AND SUBSTR(key, 1, ?) = ?", lane, len(prefix), prefix).Scan(&n).Error
	return n, err
}

func postpone(tx *database.Tx, list []Later) error {
	ids, leases, due := make([]int64, len(list)), make([]int64, len(list)), make([]time.Time, len(list))
	for i, l := range list {
		ids[i], leases[i], due[i] = l.Task.ID, l.Task.Lease, database.Moment(l.At)
	}
	v, args := tx.Values(database.Of("id", "bigint", ids), database.Of("lease", "bigint", leases), database.Of("due_at", "timestamptz", due))
	//mutant:replace promises.lease = v.lease AND => TestLeaseRunsOut
	return tx.Gorm().Exec("WITH v(id, lease, due_at) AS ("+v+") UPDATE promises SET due_at = v.due_at, lease = 0"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+unended, args...).Error
}

func keepHeld(tx *database.Tx, tasks []Task) error {
	v, args := claimed(tx, tasks)
	result := tx.Gorm().Exec("WITH v(id, lease) AS ("+v+") UPDATE promises SET state = 'kept', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+unended, append(args, tx.Now())...)
	if result.Error == nil && result.RowsAffected != int64(len(tasks)) {
		return database.ErrRowCount
	}
	return result.Error
}
