package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"elsom/internal/database"
)

const maxPayloadBytes = 8000

func rowsOf(tx *database.Tx, messages []Message) (database.Rows, error) {
	now, payloads := tx.Now(), make([]string, len(messages))
	for i, m := range messages {
		payload, err := json.Marshal(m.Payload)
		if err != nil {
			return database.Rows{}, fmt.Errorf("outbox: payload of %s: %w", m.Queue, err)
		}
		if len(payload) > maxPayloadBytes {
			return database.Rows{}, fmt.Errorf("outbox: payload of %s has %d bytes", m.Queue, len(payload))
		}
		payloads[i] = string(payload)
	}
	due := func(m *Message) time.Time {
		if m.NotBefore.After(now) {
			return database.StoredTime(m.NotBefore)
		}
		return now
	}
	return database.Rows{Table: "promises", Columns: []database.Column{
		database.ColumnOf("id", "bigint", messages, func(*Message) int64 { return tx.NewID() }),
		database.ColumnOf("lane", "text", messages, func(m *Message) string { return m.Queue }),
		database.ColumnOf("key", "text", messages, func(m *Message) string { return m.Key }),
		database.NewColumn("payload", "text", payloads), database.ConstColumn("state", "text", "open"),
		database.ColumnOf("due_at", "timestamptz", messages, due), database.ConstColumn("made_at", "timestamptz", now),
	}}, nil
}

// row has the columns of a message that a worker reads.
type row struct {
	ID      int64
	Key     string
	Payload string
	Tries   int
}

func leasedMessages(rows []row, queue string, token int64) []LeasedMessage {
	messages := make([]LeasedMessage, len(rows))
	for i, r := range rows {
		messages[i] = LeasedMessage{ID: r.ID, Queue: queue, Key: r.Key, Payload: json.RawMessage(r.Payload), Attempts: r.Tries, LeaseToken: token}
	}
	return messages
}

func acquire(tx *database.Tx, queue string, n int, lease time.Duration) ([]LeasedMessage, error) {
	isPicked := "IN (SELECT id FROM picked)"
	if tx.Dialect() == database.Postgres {
		// PostgreSQL's planner can't estimate how few rows are picked and would
		// scan all open messages for a join. The ids of an array are looked up by
		// the primary key. The picked rows are locked, so that no other condition
		// needs to be checked again.
		//mutant:drop TestPlansReadOnlyTheGivenMessages
		isPicked = "= ANY (ARRAY(SELECT id FROM picked))"
	}
	var rows []row
	now, token := tx.Now(), tx.NewID()
	// MATERIALIZED: PostgreSQL may run a plain subquery once for each row that it
	// updates, and LIMIT would hold for each run.
	//mutant:replace +tx.ForUpdateSkipLocked()+`) => +`) TestAcquiredOnce
	err := tx.Gorm().Raw(`WITH picked AS MATERIALIZED (SELECT id FROM promises
			WHERE lane = ? AND state = 'open' AND due_at <= ? ORDER BY due_at LIMIT ?`+tx.ForUpdateSkipLocked()+`)
		UPDATE promises SET lease = ?, due_at = ?, tries = tries + 1
		WHERE id `+isPicked+`
		RETURNING id, key, payload, tries`,
		queue, now, n, token, database.StoredTime(now.Add(lease))).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return leasedMessages(rows, queue, token), nil
}

// notEnded matches open messages. It is deliberately not state = 'open': that
// would match the partial index, and the generic plan would scan it instead of
// looking up the given ids.
//
//mutant:replace state NOT IN ('kept', 'failed') => state = 'open' TestPlansReadOnlyTheGivenMessages
const notEnded = "state NOT IN ('kept', 'failed')"

// complete marks messages as done regardless of their leases, except those that
// have ended.
func complete(tx *database.Tx, messages []LeasedMessage) error {
	ids := make([]int64, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	in, list := database.InList(tx.Dialect(), ids)
	//mutant:replace payload = '', => TestAcquireAndComplete
	return tx.Gorm().Exec("UPDATE promises SET state = 'kept', payload = '', ended_at = ? WHERE id "+in+" AND "+notEnded,
		tx.Now(), list).Error
}

func fail(tx *database.Tx, messages []LeasedMessage) error {
	v, args := leaseValues(tx, messages)
	//mutant:replace promises.lease = v.lease AND => TestExpiredLease
	return tx.Gorm().Exec("WITH v(id, lease) AS ("+v+") UPDATE promises SET state = 'failed', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+notEnded, append(args, tx.Now())...).Error
}

// leaseValues returns the ids and lease tokens of messages as a table.
func leaseValues(tx *database.Tx, messages []LeasedMessage) (query string, args []any) {
	ids, leases := make([]int64, len(messages)), make([]int64, len(messages))
	for i, m := range messages {
		ids[i], leases[i] = m.ID, m.LeaseToken
	}
	return tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("lease", "bigint", leases))
}

func countDue(ctx context.Context, db *database.DB, queue string, limit int) (n int, err error) {
	err = db.Gorm(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM promises WHERE lane = ? AND state = 'open' AND due_at <= ? LIMIT ?) due",
		queue, db.Now(), limit).Scan(&n).Error
	return n, err
}

// readOpenQueues emulates a loose index scan on the index of due messages: one
// lookup for each queue.
func readOpenQueues(ctx context.Context, db *database.DB) (queues []string, err error) {
	const open = "(SELECT MIN(lane) FROM promises WHERE state = 'open'"
	err = db.Gorm(ctx).Raw("WITH RECURSIVE l(lane) AS (SELECT " + open + ") UNION ALL SELECT " + open + " AND promises.lane > l.lane)" +
		" FROM l WHERE l.lane IS NOT NULL) SELECT lane FROM l WHERE lane IS NOT NULL").Scan(&queues).Error
	return queues, err
}

func countOpen(ctx context.Context, db *database.DB, queue, prefix string) (n int, err error) {
	err = db.Gorm(ctx).Raw("SELECT COUNT(*) FROM promises WHERE lane = ? AND state = 'open' AND SUBSTR(key, 1, ?) = ?", queue, len(prefix), prefix).Scan(&n).Error
	return n, err
}

func postpone(tx *database.Tx, list []Postponement) error {
	ids, leases, due := make([]int64, len(list)), make([]int64, len(list)), make([]time.Time, len(list))
	for i, p := range list {
		ids[i], leases[i], due[i] = p.Message.ID, p.Message.LeaseToken, database.StoredTime(p.At)
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("lease", "bigint", leases), database.NewColumn("due_at", "timestamptz", due))
	//mutant:replace promises.lease = v.lease AND => TestExpiredLease
	return tx.Gorm().Exec("WITH v(id, lease, due_at) AS ("+v+") UPDATE promises SET due_at = v.due_at, lease = 0"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND promises."+notEnded, args...).Error
}
