package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"elsom/internal/database"
)

const maxPayloadBytes = 8000

func rowsOf(tx *database.Tx, promises []Message) (database.Rows, error) {
	var ids []int64
	var lanes, keys, payloads []string
	var due []time.Time
	now := tx.Now()
	for _, p := range promises {
		payload, err := json.Marshal(p.Payload)
		if err != nil {
			return database.Rows{}, fmt.Errorf("outbox: payload of %s: %w", p.Queue, err)
		}
		if len(payload) > maxPayloadBytes {
			return database.Rows{}, fmt.Errorf("outbox: payload of %s has %d bytes", p.Queue, len(payload))
		}
		at := now
		if p.NotBefore.After(now) {
			at = database.StoredTime(p.NotBefore)
		}
		ids, lanes, keys = append(ids, tx.NewID()), append(lanes, p.Queue), append(keys, p.Key)
		payloads, due = append(payloads, string(payload)), append(due, at)
	}
	return database.Rows{Table: "promises", Columns: []database.Column{
		database.NewColumn("id", "bigint", ids), database.NewColumn("lane", "text", lanes), database.NewColumn("key", "text", keys),
		database.NewColumn("payload", "text", payloads), database.ConstColumn("state", "text", "open"),
		database.NewColumn("due_at", "timestamptz", due), database.ConstColumn("made_at", "timestamptz", now),
	}}, nil
}

func acquire(tx *database.Tx, lane string, n int, lease time.Duration) ([]LeasedMessage, error) {
	them := "IN (SELECT id FROM picked)"
	if tx.Dialect() == database.Postgres {
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
	//mutant:replace +tx.ForUpdateSkipLocked()+`) => +`) TestClaimedOnce
	err := tx.Gorm().Raw(`WITH picked AS MATERIALIZED (SELECT id FROM promises
			WHERE lane = ? AND state = 'open' AND due_at <= ? ORDER BY due_at LIMIT ?`+tx.ForUpdateSkipLocked()+`)
		UPDATE promises SET lease = ?, due_at = ?, tries = tries + 1
		WHERE id `+them+`
		RETURNING id, key, payload, tries`,
		lane, now, n, token, database.StoredTime(now.Add(lease))).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	tasks := make([]LeasedMessage, len(rows))
	for i, r := range rows {
		tasks[i] = LeasedMessage{ID: r.ID, Queue: lane, Key: r.Key, Payload: json.RawMessage(r.Payload), Attempts: r.Tries, LeaseToken: token}
	}
	return tasks, nil
}

func listLeased(tx *database.Tx, lane string, lease time.Duration) ([]LeasedMessage, error) {
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
		lane, now, database.StoredTime(now.Add(lease))).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	tasks := make([]LeasedMessage, len(rows))
	for i, r := range rows {
		tasks[i] = LeasedMessage{ID: r.ID, Queue: lane, Key: r.Key, Payload: json.RawMessage(r.Payload), Attempts: r.Tries}
	}
	return tasks, nil
}

// unended is true of open promises. Who knows which rows are meant says it so:
// after the words of the index of those that are open PostgreSQL, which knows
// neither how many are meant nor how many are open just now, reads them all.
//
//mutant:replace state NOT IN ('kept', 'failed') => state = 'open' TestPlansReadWhatIsMeant
const notEnded = "state NOT IN ('kept', 'failed')"

// complete ends promises, whoever has their leases; one that had ended before
// stays as it ended.
func complete(tx *database.Tx, tasks []LeasedMessage) error {
	ids := make([]int64, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	these, list := database.InList(tx.Dialect(), ids)
	//mutant:replace payload = '', => TestClaimAndKeep
	return tx.Gorm().Exec("UPDATE promises SET state = 'kept', payload = '', ended_at = ? WHERE id "+these+" AND "+notEnded,
		tx.Now(), list).Error
}

func fail(tx *database.Tx, tasks []LeasedMessage) error {
	v, args := leaseValues(tx, tasks)
	//mutant:replace promises.lease = v.lease AND => TestLeaseRunsOut
	return tx.Gorm().Exec("WITH v(id, lease) AS ("+v+") UPDATE promises SET state = 'failed', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+notEnded, append(args, tx.Now())...).Error
}

// leaseValues are tasks with their leases as a table.
func leaseValues(tx *database.Tx, tasks []LeasedMessage) (query string, args []any) {
	ids, leases := make([]int64, len(tasks)), make([]int64, len(tasks))
	for i, t := range tasks {
		ids[i], leases[i] = t.ID, t.LeaseToken
	}
	return tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("lease", "bigint", leases))
}

func completeByKey(tx *database.Tx, names []MessageKey) error {
	lanes, keys := make([]string, len(names)), make([]string, len(names))
	for i, n := range names {
		lanes[i], keys[i] = n.Queue, n.Key
	}
	v, args := tx.Values(database.NewColumn("lane", "text", lanes), database.NewColumn("key", "text", keys))
	// One look for each: how many there are of anything is unknown when this is
	// planned, perhaps for an empty table.
	found := "(SELECT (SELECT id FROM promises WHERE promises.lane = v.lane AND promises.key = v.key) FROM v)"
	them := "IN " + found
	if tx.Dialect() == database.Postgres {
		them = "= ANY (ARRAY" + found + ")"
	}
	return tx.Gorm().Exec("WITH v(lane, key) AS ("+v+") UPDATE promises SET state = 'kept', payload = '', ended_at = ?"+
		" WHERE id "+them+" AND "+notEnded, append(args, tx.Now())...).Error
}

func countDue(ctx context.Context, db *database.DB, lane string, most int) (n int, err error) {
	err = db.Gorm(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM promises WHERE lane = ? AND state = 'open' AND due_at <= ? LIMIT ?) due",
		lane, db.Now(), most).Scan(&n).Error
	return n, err
}

// readOpenQueues goes from lane to lane by the index of what is due, past all that
// is open in each.
func readOpenQueues(ctx context.Context, db *database.DB) (lanes []string, err error) {
	const open = "(SELECT MIN(lane) FROM promises WHERE state = 'open'"
	err = db.Gorm(ctx).Raw("WITH RECURSIVE l(lane) AS (SELECT " + open + ") UNION ALL SELECT " + open + " AND promises.lane > l.lane)" +
		" FROM l WHERE l.lane IS NOT NULL) SELECT lane FROM l WHERE lane IS NOT NULL").Scan(&lanes).Error
	return lanes, err
}

func countOpen(ctx context.Context, db *database.DB, lane, prefix string) (n int, err error) {
	err = db.Gorm(ctx).Raw("SELECT COUNT(*) FROM promises WHERE lane = ? AND state = 'open' AND SUBSTR(key, 1, ?) = ?", lane, len(prefix), prefix).Scan(&n).Error
	return n, err
}

func postpone(tx *database.Tx, list []Postponement) error {
	ids, leases, due := make([]int64, len(list)), make([]int64, len(list)), make([]time.Time, len(list))
	for i, l := range list {
		ids[i], leases[i], due[i] = l.Message.ID, l.Message.LeaseToken, database.StoredTime(l.At)
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("lease", "bigint", leases), database.NewColumn("due_at", "timestamptz", due))
	//mutant:replace promises.lease = v.lease AND => TestLeaseRunsOut
	return tx.Gorm().Exec("WITH v(id, lease, due_at) AS ("+v+") UPDATE promises SET due_at = v.due_at, lease = 0"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+notEnded, args...).Error
}

func completeLeased(tx *database.Tx, tasks []LeasedMessage) error {
	v, args := leaseValues(tx, tasks)
	result := tx.Gorm().Exec("WITH v(id, lease) AS ("+v+") UPDATE promises SET state = 'kept', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+notEnded, append(args, tx.Now())...)
	if result.Error == nil && result.RowsAffected != int64(len(tasks)) {
		return database.ErrRowCount
	}
	return result.Error
}
