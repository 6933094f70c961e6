package sms

import (
	"context"
	"math"
	"time"

	"elsom/internal/database"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// row has the columns of messages that decide about a call. AskedBy is the lease
// token of the last call whose outcome is unknown, otherwise 0.
type row struct {
	ID      int64
	Key     string
	State   State
	AskedBy int64
	AskedAt time.Time
}

// insertAndLock inserts the rows of messages that have none and locks all. It returns
// them in the order of list.
func insertAndLock(tx *database.Tx, list []candidate) ([]*row, error) {
	var ids []int64
	var keys, phones, texts, states []string
	var times []time.Time
	for _, c := range list {
		ids, keys, phones = append(ids, tx.NewID()), append(keys, c.message.Key), append(phones, c.content.Phone.String())
		texts, states, times = append(texts, c.content.masked), append(states, string(Queued)), append(times, tx.Now())
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("key", "text", keys), database.NewColumn("phone", "text", phones),
		database.NewColumn("text", "text", texts), database.NewColumn("state", "text", states), database.NewColumn("made_at", "timestamptz", times))
	// Sorted by key, so that concurrent inserts of the same keys can't deadlock.
	err := tx.Gorm().Exec("WITH v(id, key, phone, text, state, made_at) AS ("+v+`) INSERT INTO messages (id, key, phone, text, state, made_at)
		SELECT id, key, phone, text, state, made_at FROM v WHERE TRUE ORDER BY key ON CONFLICT (key) DO NOTHING`, args...).Error
	if err != nil {
		return nil, err
	}
	var rows []row
	in, arg := database.InList(tx.Dialect(), keys)
	err = tx.Gorm().Raw("SELECT id, key, state, asked_by, asked_at FROM messages WHERE key "+in+" ORDER BY key"+tx.ForUpdate(), arg).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return database.AlignRows(keys, rows, func(r row) string { return r.Key }), nil
}

// day is the period of the daily limit.
const day = 24 * time.Hour

// limitedMessage is a notice that is dropped if its phone number had limit messages
// within a day.
type limitedMessage struct {
	id    int64
	phone string
	limit int
}

// overLimit returns the ids of the notices to be dropped. Failed and dropped messages
// don't count: otherwise a number with many notices would get none at all after the
// first day. The count uses the index on phone and id.
func overLimit(tx *database.Tx, notices []limitedMessage) (map[int64]bool, error) {
	if len(notices) == 0 {
		return nil, nil
	}
	ids, phones, limits := make([]int64, len(notices)), make([]string, len(notices)), make([]int64, len(notices))
	for i, n := range notices {
		ids[i], phones[i], limits[i] = n.id, n.phone, int64(n.limit)
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("phone", "text", phones), database.NewColumn("maximum", "bigint", limits))
	var over []int64
	//mutant:replace state <> ? => state <> '-' || ? TestDroppedNoticesDoNotCount
	err := tx.Gorm().Raw("WITH v(id, phone, maximum) AS ("+v+`) SELECT v.id FROM v WHERE (SELECT COUNT(*) FROM messages
		WHERE messages.phone = v.phone AND messages.id > ? AND messages.id < v.id AND messages.state <> ?) >= v.maximum`,
		append(args, database.FirstID(tx.Now().Add(-day)), Failed)...).Scan(&over).Error
	found := make(map[int64]bool, len(over))
	for _, id := range over {
		found[id] = true
	}
	return found, err
}

// call is a call to the gateway that is about to be made.
type call struct {
	id, lease int64
	repeated  bool // the response to an earlier call was lost
}

// recordCalls stores the lease tokens and the time of calls, and counts the repeated
// ones.
func recordCalls(tx *database.Tx, list []call) error {
	if len(list) == 0 {
		return nil
	}
	ids, leases, repeats := make([]int64, len(list)), make([]int64, len(list)), make([]int64, len(list))
	for i, c := range list {
		ids[i], leases[i] = c.id, c.lease
		if c.repeated {
			repeats[i] = 1
		}
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("lease", "bigint", leases), database.NewColumn("repeats", "bigint", repeats))
	return tx.Gorm().Exec("WITH v(id, lease, repeats) AS ("+v+") UPDATE messages SET asked_by = v.lease, asked_at = ?,"+
		" repeats = messages.repeats + v.repeats FROM v WHERE messages.id = v.id", append(args, tx.Now())...).Error
}

// clearCalls removes the calls of these leases from messages that the gateway
// certainly did not accept.
func clearCalls(tx *database.Tx, list []outbox.LeasedMessage) error {
	if len(list) == 0 {
		return nil
	}
	keys, leases := make([]string, len(list)), make([]int64, len(list))
	for i, m := range list {
		keys[i], leases[i] = m.Key, m.LeaseToken
	}
	v, args := tx.Values(database.NewColumn("key", "text", keys), database.NewColumn("lease", "bigint", leases))
	return tx.Gorm().Exec("WITH v(key, lease) AS ("+v+") UPDATE messages SET asked_by = 0 FROM v"+
		" WHERE messages.key = v.key AND messages.asked_by = v.lease", args...).Error
}

// setState changes the state of queued messages; others are left alone.
func setState(tx *database.Tx, keys []string, to State) error {
	if len(keys) == 0 {
		return nil
	}
	column := "sent_at"
	if to == Failed {
		column = "ended_at"
	}
	in, arg := database.InList(tx.Dialect(), keys)
	return tx.Gorm().Exec("UPDATE messages SET state = ?, asked_by = 0, "+column+" = ? WHERE key "+in+" AND state = ?",
		to, tx.Now(), arg, Queued).Error
}

// receive changes a message's state to that of a receipt. A message never goes back
// from Sent to Queued, nor from one final state to another.
func (ms *Messages) receive(ctx context.Context, id int64, to State) error {
	return ms.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if to == Sent {
			return tx.Gorm().Exec("UPDATE messages SET state = ?, sent_at = ? WHERE id = ? AND state = ?",
				to, tx.Now(), id, Queued).Error
		}
		//mutant:replace ? AND state IN (?, ?)`, to, tx.Now(), tx.Now(), id, Queued, Sent => ?`, to, tx.Now(), tx.Now(), id TestStatesOnlyGoForward
		return tx.Gorm().Exec(`UPDATE messages SET state = ?, sent_at = COALESCE(sent_at, ?), ended_at = ?
			WHERE id = ? AND state IN (?, ?)`, to, tx.Now(), tx.Now(), id, Queued, Sent).Error
	})
}

func idByKey(tx *database.Tx, key string) (id int64, err error) {
	err = tx.Gorm().Raw("SELECT id FROM messages WHERE key = ?", key).Scan(&id).Error
	return id, err
}

func (ms *Messages) state(ctx context.Context, id int64) (state State, err error) {
	err = ms.db.Gorm(ctx).Raw("SELECT state FROM messages WHERE id = ?", id).Scan(&state).Error
	return state, err
}

func (ms *Messages) list(ctx context.Context, number phone.Number, since time.Time, before int64, n int) (list []MaskedMessage, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	//mutant:replace messages WHERE phone = ? => messages WHERE phone >= ? ./web TestMessages
	err = ms.db.Gorm(ctx).Raw(`SELECT id, text, state, made_at AS at FROM messages WHERE phone = ? AND id < ? AND made_at >= ?
		ORDER BY id DESC LIMIT ?`, number.String(), before, since, n).Scan(&list).Error
	for i := range list {
		list[i].At = list[i].At.UTC()
	}
	return list, err
}

func (ms *Messages) count(ctx context.Context) (c Count, err error) {
	var states []struct {
		State State
		Count int64
	}
	err = ms.db.Gorm(ctx).Raw("SELECT state, COUNT(*) AS count FROM messages WHERE made_at > ? GROUP BY state",
		ms.db.Now().Add(-24*time.Hour)).Scan(&states).Error
	if err != nil {
		return c, err
	}
	c.States = map[State]int64{}
	for _, s := range states {
		c.States[s.State] = s.Count
	}
	err = ms.db.Gorm(ctx).Raw("SELECT COALESCE(SUM(repeats), 0) FROM messages WHERE repeats > 0").Scan(&c.Repeats).Error
	return c, err
}

func (ms *Messages) purge(ctx context.Context, before time.Time) (int64, error) {
	//mutant:replace made_at < ? AND => made_at <> ? AND TestPurgeKeepsYoungMessages
	deleted, err := ms.db.Purge(ctx, `DELETE FROM messages WHERE id IN
		(SELECT id FROM messages WHERE made_at < ? AND state <> 'queued' AND repeats = 0 LIMIT ?)`, before)
	if err != nil {
		return deleted, err
	}
	emptied, err := ms.db.Purge(ctx, `UPDATE messages SET phone = '', text = '' WHERE id IN
		(SELECT id FROM messages WHERE made_at < ? AND state <> 'queued' AND repeats > 0 AND phone <> '' LIMIT ?)`, before)
	return deleted + emptied, err
}
