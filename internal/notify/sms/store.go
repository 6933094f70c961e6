package sms

import (
	"context"
	"math"
	"time"

	"elsom/internal/database"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// row is a message as far as its sending goes.
type row struct {
	ID      int64
	Key     string
	State   State
	AskedBy int64
	AskedAt time.Time
}

// begin writes messages down, those that are not there yet, and locks them.
func begin(tx *database.Tx, list []asked) ([]*row, error) {
	var ids []int64
	var keys, phones, texts, states []string
	var moments []time.Time
	for _, a := range list {
		ids, keys, phones = append(ids, tx.NewID()), append(keys, a.task.Key), append(phones, a.words.Phone.String())
		texts, states, moments = append(texts, a.words.shown), append(states, string(Queued)), append(moments, tx.Now())
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("key", "text", keys), database.NewColumn("phone", "text", phones),
		database.NewColumn("text", "text", texts), database.NewColumn("state", "text", states), database.NewColumn("made_at", "timestamptz", moments))
	// In the order of the keys: whoever has the same ones waits for us.
	err := tx.Gorm().Exec("WITH v(id, key, phone, text, state, made_at) AS ("+v+`) INSERT INTO messages (id, key, phone, text, state, made_at)
		SELECT id, key, phone, text, state, made_at FROM v WHERE TRUE ORDER BY key ON CONFLICT (key) DO NOTHING`, args...).Error
	if err != nil {
		return nil, err
	}
	var rows []row
	these, among := database.InList(tx.Dialect(), keys)
	err = tx.Gorm().Raw("SELECT id, key, state, asked_by, asked_at FROM messages WHERE key "+these+" ORDER BY key"+tx.ForUpdate(), among).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return database.AlignRows(keys, rows, func(r row) string { return r.Key }), nil
}

// day is the time in which a number gets so many messages.
const day = 24 * time.Hour

// notice is a notice that is to be sent unless its number had most messages
// within a day.
type notice struct {
	id    int64
	phone string
	most  int
}

// beyond returns those of the notices that are not to be sent. What failed or was
// left out itself is not counted: a number with many notices would get none any
// more. It reads each number's messages of the day by the index of numbers and ids.
func beyond(tx *database.Tx, notices []notice) (map[int64]bool, error) {
	if len(notices) == 0 {
		return nil, nil
	}
	ids, phones, mosts := make([]int64, len(notices)), make([]string, len(notices)), make([]int64, len(notices))
	for i, n := range notices {
		ids[i], phones[i], mosts[i] = n.id, n.phone, int64(n.most)
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("phone", "text", phones), database.NewColumn("most", "bigint", mosts))
	var late []int64
	//mutant:replace state <> ? => state <> '-' || ? TestNoticesLeftOutTakeNoRoom
	err := tx.Gorm().Raw("WITH v(id, phone, most) AS ("+v+`) SELECT v.id FROM v WHERE (SELECT COUNT(*) FROM messages
		WHERE messages.phone = v.phone AND messages.id > ? AND messages.id < v.id AND messages.state <> ?) >= v.most`,
		append(args, database.FirstID(tx.Now().Add(-day)), Failed)...).Scan(&late).Error
	found := make(map[int64]bool, len(late))
	for _, id := range late {
		found[id] = true
	}
	return found, err
}

// called is a message that the gateway is about to be called with.
type called struct {
	id, lease int64
	again     bool // the answer to an earlier call was lost
}

// note keeps under which claims the gateway is called, and counts the calls
// after an answer that was lost.
func note(tx *database.Tx, list []called) error {
	if len(list) == 0 {
		return nil
	}
	ids, leases, repeats := make([]int64, len(list)), make([]int64, len(list)), make([]int64, len(list))
	for i, c := range list {
		ids[i], leases[i] = c.id, c.lease
		if c.again {
			repeats[i] = 1
		}
	}
	v, args := tx.Values(database.NewColumn("id", "bigint", ids), database.NewColumn("lease", "bigint", leases), database.NewColumn("repeats", "bigint", repeats))
	return tx.Gorm().Exec("WITH v(id, lease, repeats) AS ("+v+") UPDATE messages SET asked_by = v.lease, asked_at = ?,"+
		" repeats = messages.repeats + v.repeats FROM v WHERE messages.id = v.id", append(args, tx.Now())...).Error
}

// unask takes the notes of these claims back: the gateway surely has nothing.
func unask(tx *database.Tx, tasks []outbox.LeasedMessage) error {
	if len(tasks) == 0 {
		return nil
	}
	keys, leases := make([]string, len(tasks)), make([]int64, len(tasks))
	for i, t := range tasks {
		keys[i], leases[i] = t.Key, t.LeaseToken
	}
	v, args := tx.Values(database.NewColumn("key", "text", keys), database.NewColumn("lease", "bigint", leases))
	return tx.Gorm().Exec("WITH v(key, lease) AS ("+v+") UPDATE messages SET asked_by = 0 FROM v"+
		" WHERE messages.key = v.key AND messages.asked_by = v.lease", args...).Error
}

// forward leads queued messages on.
func forward(tx *database.Tx, keys []string, to State) error {
	if len(keys) == 0 {
		return nil
	}
	column := "sent_at"
	if to == Failed {
		column = "ended_at"
	}
	these, among := database.InList(tx.Dialect(), keys)
	return tx.Gorm().Exec("UPDATE messages SET state = ?, asked_by = 0, "+column+" = ? WHERE key "+these+" AND state = ?",
		to, tx.Now(), among, Queued).Error
}

// receive leads a message on to what a receipt says: never back, and no end
// gives way to the other.
func (ms *Messages) receive(ctx context.Context, id int64, to State) error {
	return ms.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if to == Sent {
			return tx.Gorm().Exec("UPDATE messages SET state = ?, sent_at = ? WHERE id = ? AND state = ?",
				to, tx.Now(), id, Queued).Error
		}
		//mutant:replace ? AND state IN (?, ?)`, to, tx.Now(), tx.Now(), id, Queued, Sent => ?`, to, tx.Now(), tx.Now(), id TestStates
		return tx.Gorm().Exec(`UPDATE messages SET state = ?, sent_at = COALESCE(sent_at, ?), ended_at = ?
			WHERE id = ? AND state IN (?, ?)`, to, tx.Now(), tx.Now(), id, Queued, Sent).Error
	})
}

func idOf(tx *database.Tx, key string) (id int64, err error) {
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
