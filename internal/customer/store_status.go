package customer

import (
	"time"

	"elsom/internal/database"
)

// statusRow is a customer with one of the sessions asked for; without it, its Handle is 0.
type statusRow struct {
	record  Record
	session SessionRow
	endsAt  time.Time
	seenAt  time.Time
}

// ReadStatus reads what can end a request of these customers: their blocks, hold and epoch,
// their level with its signature, and the sessions of their requests. It reads no more,
// because it runs for each payment while wallets are locked.
func ReadStatus(tx *database.Tx, of []Customer) (Status, error) {
	var ids, handles []int64
	for _, c := range of {
		ids = append(ids, c.ID)
		if handle := c.Browser.Row.Handle; handle != 0 {
			handles = append(handles, handle)
		}
	}
	these, list := database.InList(tx.Dialect(), ids)
	those, sessions := database.InList(tx.Dialect(), handles)
	rows, err := database.ScanAll(tx.Gorm().Raw(`SELECT c.id, c.blocked, c.blocked_out, c.session_epoch, c.hold_until, c.lang, c.level, c.mac, c.key_id,
			s.handle, s.id, s.customer_id, s.epoch, s.browser, s.known, s.mac, s.ends_at, s.seen_at
		FROM customers c LEFT JOIN sessions s ON s.customer_id = c.id AND s.handle `+those+` WHERE c.id `+these, sessions, list), (*statusRow).scanTargets)
	now := Status{make(map[int64]Customer, len(rows)), make(map[int64]sessionNow, len(handles))}
	for i := range rows {
		r := &rows[i]
		now.customers[r.record.ID] = r.record.Customer()
		if r.session.Handle != 0 {
			r.session.EndsAt = r.endsAt.UnixMicro()
			now.sessions[r.session.Handle] = sessionNow{r.session, r.endsAt, r.seenAt}
		}
	}
	return now, err
}

func (r *statusRow) scanTargets() []any {
	c, s := &r.record, &r.session
	return []any{
		&c.ID, &c.Blocked, &c.BlockedOut, &c.SessionEpoch, &c.HoldUntil, &c.Lang, &c.Level, &c.MAC, &c.KeyID,
		database.ZeroIfNull(&s.Handle), database.ZeroIfNull(&s.ID), database.ZeroIfNull(&s.CustomerID), database.ZeroIfNull(&s.Epoch),
		database.ZeroIfNull(&s.Browser), database.ZeroIfNull(&s.Known), database.ZeroIfNull(&s.MAC),
		database.ZeroIfNull(&r.endsAt), database.ZeroIfNull(&r.seenAt),
	}
}
