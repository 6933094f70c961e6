package sms

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"elsom/internal/database"
	"elsom/internal/phone"
)

// rowsOf returns new messages as rows. The columns of secrets and of balances are left
// out where there are none.
func rowsOf(tx *database.Tx, messages []Outgoing) (database.Rows, error) {
	now := tx.Now()
	for _, m := range messages {
		if m.err != nil {
			return database.Rows{}, m.err
		}
	}
	state := func(m *Outgoing) string {
		if m.unsendable() {
			return string(Failed)
		}
		return string(Queued)
	}
	rows := database.Rows{Table: "messages", Columns: []database.Column{
		database.ColumnOf("id", "bigint", messages, func(*Outgoing) int64 { return tx.NewID() }),
		database.ColumnOf("key", "text", messages, func(m *Outgoing) string { return m.key }),
		database.ColumnOf("phone", "text", messages, func(m *Outgoing) string { return m.phone.String() }),
		database.ColumnOf("text", "text", messages, func(m *Outgoing) string { return m.text }),
		database.ColumnOf("state", "text", messages, state),
		database.ColumnOf("queue", "text", messages, func(m *Outgoing) string { return m.queue }),
		database.ColumnOf("daily_limit", "text", messages, func(m *Outgoing) string { return string(m.limit) }),
		database.ConstColumn("made_at", "timestamptz", now), database.ConstColumn("due_at", "timestamptz", now),
	}}
	if haveSecrets(messages) {
		rows.Columns = append(rows.Columns,
			database.ColumnOf("sealed", "bytea", messages, func(m *Outgoing) []byte { return m.sealed }),
			database.ColumnOf("expires_at", "timestamptz", messages, func(m *Outgoing) *time.Time { return m.expiresAt }))
	}
	if slices.ContainsFunc(messages, func(m Outgoing) bool { return m.wallet != 0 }) {
		rows.Columns = append(rows.Columns,
			database.ColumnOf("wallet_id", "bigint", messages, func(m *Outgoing) int64 { return m.wallet }),
			database.ColumnOf("lang", "text", messages, func(m *Outgoing) string { return m.lang }))
	}
	return rows, nil
}

// haveSecrets reports whether the columns of secrets are inserted.
func haveSecrets(messages []Outgoing) bool {
	return slices.ContainsFunc(messages, func(m Outgoing) bool { return m.sealed != nil || m.expiresAt != nil })
}

// insertFormer inserts messages of the previous release. If it has stored calls of a
// message already, they stay.
func insertFormer(tx *database.Tx, messages []Outgoing) error {
	if len(messages) == 0 {
		return nil
	}
	rows, err := rowsOf(tx, messages)
	if err != nil {
		return err
	}
	set := "queue = excluded.queue, daily_limit = excluded.daily_limit, due_at = excluded.due_at"
	if haveSecrets(messages) {
		set += ", sealed = excluded.sealed, expires_at = excluded.expires_at"
	}
	//mutant:replace AND messages.queue = '' => AND messages.queue <> '-' TestMessageWithAKeyOfThisRelease
	rows.OnConflict = "ON CONFLICT (key) DO UPDATE SET " + set + " WHERE messages.state = 'queued' AND messages.queue = ''"
	return tx.Insert(rows)
}

// dueRow has the columns of a message that decide about a call. AskedBy is the token of
// a call whose outcome is unknown, otherwise 0. Balance is that of the wallet whose
// balance the text still lacks, otherwise nil.
type dueRow struct {
	ID         int64
	Key        string
	Phone      string
	Text       string
	Sealed     []byte
	DailyLimit dailyLimit
	ExpiresAt  *time.Time
	AskedBy    int64
	Tries      int
	Lang       string
	Balance    *int64
}

// due is true of messages that may be acquired: due, and without a call that may still
// have an outcome.
const due = "queue = ? AND state = 'queued' AND due_at <= ? AND (asked_by = 0 OR asked_at <= ?)"

// lockDue locks and returns up to n due messages, in the order in which they were added.
func lockDue(tx *database.Tx, queue string, lostBefore time.Time, n int) ([]dueRow, error) {
	//mutant:replace +tx.ForUpdateSkipLocked(), => , TestAcquiredOnce
	query := tx.Gorm().Raw("SELECT id, key, phone, text, sealed, daily_limit, expires_at, asked_by, tries, lang,"+
		" (SELECT accounts.balance FROM accounts WHERE accounts.id = messages.wallet_id) FROM messages WHERE "+due+
		" ORDER BY due_at LIMIT ?"+tx.ForUpdateSkipLocked(), queue, tx.Now(), lostBefore, n)
	rows, err := database.ScanAll(query, func(r *dueRow) []any {
		return []any{&r.ID, &r.Key, &r.Phone, &r.Text, &r.Sealed, (*string)(&r.DailyLimit), &r.ExpiresAt, &r.AskedBy, &r.Tries, &r.Lang, &r.Balance}
	})
	slices.SortFunc(rows, func(a, b dueRow) int { return cmp.Compare(a.ID, b.ID) })
	return rows, err
}

// isDue reports whether a queue has a due message. It takes no locks.
func (d *Sender) isDue(ctx context.Context, queue string) (found bool, err error) {
	now := d.db.Now()
	err = d.db.Gorm(ctx).Raw("SELECT EXISTS (SELECT 1 FROM messages WHERE "+due+")", queue, now, d.lostBefore(now)).Scan(&found).Error
	return found, err
}

// store writes the outcomes of calls and the calls that are about to be made.
func (s *step) store(tx *database.Tx) error {
	if err := storeSent(tx, s.sent); err != nil {
		return err
	}
	if err := storeFailed(tx, s.failed); err != nil {
		return err
	}
	if err := makeDue(tx, s.unsent); err != nil {
		return err
	}
	if err := deleteEmpty(tx, s.empty); err != nil {
		return err
	}
	//mutant:replace return storeCalls(tx, s.acquired, s.repeated) => _ = storeCalls; return nil TestCrashDuringCallIsALostResponse
	return storeCalls(tx, s.acquired, s.repeated)
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

// storeCalls stores that the gateway is about to be called, with the text that it gets,
// and counts the repeated calls. On PostgreSQL it changes no indexed column.
func storeCalls(tx *database.Tx, list []Acquired, repeated []int64) error {
	if len(list) == 0 {
		return nil
	}
	v, args := tx.Values(
		database.ColumnOf("id", "bigint", list, func(m *Acquired) int64 { return m.ID }), database.NewColumn("repeats", "bigint", repeated),
		database.ColumnOf("text", "text", list, func(m *Acquired) string { return m.text }))
	//mutant:replace wallet_id = 0, => TestBalanceOfTheFirstCallIsKept
	return tx.Gorm().Exec("WITH v(id, repeats, text) AS ("+v+") UPDATE messages SET asked_by = ?, asked_at = ?, tries = tries + 1, wallet_id = 0,"+
		" text = v.text, repeats = messages.repeats + v.repeats FROM v WHERE messages.id = v.id", append(args, list[0].token, list[0].at)...).Error
}

// storeSent stores that the gateway has accepted messages. A receipt may have arrived
// before.
func storeSent(tx *database.Tx, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	in, list := database.InList(tx.Dialect(), ids)
	return tx.Gorm().Exec("UPDATE messages SET state = ?, asked_by = 0, sealed = NULL, sent_at = ? WHERE id "+in+" AND state = ?",
		Sent, tx.Now(), list, Queued).Error
}

// storeFailed stores that messages are not sent any more after these calls, unless they
// were acquired again since: another process may be sending them.
func storeFailed(tx *database.Tx, list []call) error {
	if len(list) == 0 {
		return nil
	}
	v, args := tx.Values(
		database.ColumnOf("id", "bigint", list, func(c *call) int64 { return c.id }),
		database.ColumnOf("token", "bigint", list, func(c *call) int64 { return c.token }))
	//mutant:replace AND messages.asked_by = v.token => AND v.token >= 0 TestLateRefusal
	return tx.Gorm().Exec("WITH v(id, token) AS ("+v+") UPDATE messages SET state = ?, asked_by = 0, sealed = NULL, ended_at = ?"+
		" FROM v WHERE messages.id = v.id AND messages.asked_by = v.token AND messages.state = 'queued'", append(args, Failed, tx.Now())...).Error
}

// makeDue makes messages due again whose calls did not send them, unless they were
// acquired again since.
func makeDue(tx *database.Tx, list []unsent) error {
	if len(list) == 0 {
		return nil
	}
	askedBy := func(u *unsent) int64 {
		if u.lost {
			return u.token
		}
		return 0
	}
	v, args := tx.Values(
		database.ColumnOf("id", "bigint", list, func(u *unsent) int64 { return u.id }),
		database.ColumnOf("token", "bigint", list, func(u *unsent) int64 { return u.token }),
		database.ColumnOf("asked_by", "bigint", list, askedBy),
		database.ColumnOf("due_at", "timestamptz", list, func(u *unsent) time.Time { return database.StoredTime(u.dueAt) }))
	//mutant:replace AND messages.asked_by = v.token => AND v.token <> 0 TestLateOutcome
	return tx.Gorm().Exec("WITH v(id, token, asked_by, due_at) AS ("+v+") UPDATE messages SET asked_by = v.asked_by, due_at = v.due_at"+
		" FROM v WHERE messages.id = v.id AND messages.asked_by = v.token AND messages.state = 'queued'", args...).Error
}

func deleteEmpty(tx *database.Tx, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	in, list := database.InList(tx.Dialect(), ids)
	return tx.Gorm().Exec("DELETE FROM messages WHERE id "+in+" AND phone = ''", list).Error
}

// receive changes a message's state to that of a receipt. A message never goes back
// from Sent to Queued, nor from one final state to another.
func (ms *Messages) receive(ctx context.Context, id int64, to State) error {
	return ms.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if to == Sent {
			return tx.Gorm().Exec("UPDATE messages SET state = ?, sealed = NULL, sent_at = ? WHERE id = ? AND state = ?",
				to, tx.Now(), id, Queued).Error
		}
		//mutant:replace ? AND state IN (?, ?)`, to, tx.Now(), tx.Now(), id, Queued, Sent => ?`, to, tx.Now(), tx.Now(), id TestStatesOnlyGoForward
		return tx.Gorm().Exec(`UPDATE messages SET state = ?, sealed = NULL, sent_at = COALESCE(sent_at, ?), ended_at = ?
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

// idle is true of messages that are not being sent.
const idle = "state = 'queued' AND (asked_by = 0 OR asked_at <= ?)"

// fail ends those of the idle messages that a condition on a time is true of.
func (ms *Messages) fail(ctx context.Context, condition string, at time.Time) (int64, error) {
	now := ms.db.Now()
	lostBefore := database.StoredTime(now.Add(-repeatAfter))
	//mutant:replace WHERE "+idle+" AND id => WHERE "+idle+" OR id TestEndUnsent
	return ms.db.Purge(ctx, "UPDATE messages SET state = 'failed', asked_by = 0, sealed = NULL, ended_at = ? WHERE "+idle+" AND id IN"+
		" (SELECT id FROM messages WHERE "+idle+" AND "+condition+" LIMIT ?)", now, lostBefore, lostBefore, database.StoredTime(at))
}

func (ms *Messages) endUnsent(ctx context.Context) (int64, error) {
	now := ms.db.Now()
	//mutant:replace expires_at < ? => expires_at <> ? TestEndUnsent
	failed, err := ms.fail(ctx, "expires_at < ?", now)
	if err != nil {
		return failed, err
	}
	//mutant:replace now.Add(-unsentLife) => time.Time{} TestEndUnsent
	old, err := ms.fail(ctx, "made_at < ?", now.Add(-unsentLife))
	if failed += old; err != nil {
		return failed, err
	}
	//mutant:replace state = 'queued' AND phone = '' => phone = '' TestEndUnsent
	deleted, err := ms.db.Purge(ctx, "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE state = 'queued' AND phone = '' LIMIT ?)")
	return failed + deleted, err
}

func (ms *Messages) purge(ctx context.Context, before time.Time) (int64, error) {
	//mutant:drop TestPurgeKeepsYoungMessages
	if _, err := ms.fail(ctx, "made_at < ?", before); err != nil {
		return 0, err
	}
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
