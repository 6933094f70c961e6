package sms

import (
	"context"
	"errors"
	"math"
	"time"

	"elsom/internal/database"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// row is a message as far as its sending goes.
type row struct {
	ID      int64
	State   State
	AskedBy int64
	AskedAt time.Time
}

// begin writes the message down, unless it is there, and locks it.
func begin(tx *database.Tx, task outbox.Task, w *written) (row, error) {
	err := tx.Gorm().Exec(`INSERT INTO messages (id, key, phone, text, state, made_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO NOTHING`, tx.NewID(), task.Key, w.Phone.String(), w.shown, Queued, tx.Now()).Error
	if err != nil {
		return row{}, err
	}
	lock := ""
	if tx.Dialect() == database.Postgres {
		lock = " FOR UPDATE"
	}
	var rows []row
	err = tx.Gorm().Raw("SELECT id, state, asked_by, asked_at FROM messages WHERE key = ?"+lock, task.Key).Scan(&rows).Error
	if err == nil && len(rows) != 1 {
		err = errors.New("sms: the message is gone")
	}
	if err != nil {
		return row{}, err
	}
	return rows[0], nil
}

// note keeps under which claim the gateway is called, and counts the call if
// it is one after an answer that was lost.
func note(tx *database.Tx, id, lease int64, again bool) error {
	repeats := 0
	if again {
		repeats = 1
	}
	return tx.Gorm().Exec("UPDATE messages SET asked_by = ?, asked_at = ?, repeats = repeats + ? WHERE id = ?",
		lease, tx.Now(), repeats, id).Error
}

// unask takes the note of this claim back: the gateway surely has nothing.
func unask(tx *database.Tx, task outbox.Task) error {
	return tx.Gorm().Exec("UPDATE messages SET asked_by = 0 WHERE key = ? AND asked_by = ?", task.Key, task.Lease).Error
}

// forward leads a queued message on.
func forward(tx *database.Tx, key string, to State) error {
	column := "sent_at"
	if to == Failed {
		column = "ended_at"
	}
	return tx.Gorm().Exec("UPDATE messages SET state = ?, asked_by = 0, "+column+" = ? WHERE key = ? AND state = ?",
		to, tx.Now(), key, Queued).Error
}

// receive leads a message on to what a receipt says: never back, and no end
// gives way to the other.
func (ms *Messages) receive(ctx context.Context, id int64, to State) error {
	return ms.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if to == Sent {
			return tx.Gorm().Exec("UPDATE messages SET state = ?, sent_at = ? WHERE id = ? AND state = ?",
				to, tx.Now(), id, Queued).Error
		}
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

func (ms *Messages) list(ctx context.Context, number phone.Number, before int64, n int) (list []Letter, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	err = ms.db.Gorm(ctx).Raw(`SELECT id, text, state, made_at AS at FROM messages WHERE phone = ? AND id < ?
		ORDER BY id DESC LIMIT ?`, number.String(), before, n).Scan(&list).Error
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
