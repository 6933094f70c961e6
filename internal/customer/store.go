package customer

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/phone"
)

// Record is a row of customers. It is exported for the sessions, which read
// the customer together with the session.
type Record struct {
	ID           int64
	Phone        string
	Email        string
	Lang         string
	PasswordHash string
	Blocked      bool
	HoldUntil    *time.Time
	SessionEpoch int64
	Level        string
	CreatedAt    time.Time
}

// TableName names the table for GORM.
func (Record) TableName() string { return "customers" }

// Customer gives the row without what nobody else may see.
func (r *Record) Customer() Customer {
	c := Customer{
		ID: r.ID, Phone: phone.Number(r.Phone), Email: r.Email, Lang: r.Lang, HasPassword: r.PasswordHash != "",
		Blocked: r.Blocked, SessionEpoch: r.SessionEpoch, Level: r.Level, CreatedAt: r.CreatedAt.UTC(),
	}
	if r.HoldUntil != nil {
		c.HoldUntil = r.HoldUntil.UTC()
	}
	return c
}

func (cs *Customers) readByID(ctx context.Context, id int64) (*Record, error) {
	return first(cs.db.Gorm(ctx).Where("id = ?", id))
}

func (cs *Customers) readByPhone(ctx context.Context, number phone.Number) (*Record, error) {
	return first(cs.db.Gorm(ctx).Where("phone = ?", number.String()))
}

func readByPhone(tx *database.Tx, number string) (*Record, error) {
	return first(tx.Gorm().Where("phone = ?", number))
}

// first gives the row of a query, nil where there is none.
func first(query *gorm.DB) (*Record, error) {
	var rows []Record
	if err := query.Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// duplicated tells that a row with the same unique key is there already.
func duplicated(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

func insert(tx *database.Tx, r *Record) error { return tx.Gorm().Create(r).Error }

// bind gives a wallet that was opened elsewhere its login on the site.
func bind(tx *database.Tx, r *Record) (rows int64, err error) {
	result := tx.Gorm().Exec(`UPDATE customers SET email = ?, lang = ?, password_hash = ?, hold_until = ?,
		session_epoch = session_epoch + 1 WHERE id = ? AND password_hash = ''`,
		r.Email, r.Lang, r.PasswordHash, r.HoldUntil, r.ID)
	return result.RowsAffected, result.Error
}

// setPassword changes a password and ends all sessions. A nil hold leaves the
// customer's as it is.
func setPassword(tx *database.Tx, id int64, from, to string, hold *time.Time) (*Record, error) {
	var rows []Record
	err := tx.Gorm().Raw(`UPDATE customers SET password_hash = ?, session_epoch = session_epoch + 1,
		hold_until = COALESCE(?, hold_until) WHERE id = ? AND password_hash = ? RETURNING *`,
		to, hold, id, from).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// rehash replaces a hash by one of the same password with today's parameters.
func (cs *Customers) rehash(ctx context.Context, id int64, from, to string) error {
	return cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE customers SET password_hash = ? WHERE id = ? AND password_hash = ?`, to, id, from).Error
	})
}

func (cs *Customers) storeLanguage(ctx context.Context, id int64, lang string) (rows int64, err error) {
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Exec(`UPDATE customers SET lang = ? WHERE id = ?`, lang, id)
		rows = result.RowsAffected
		return result.Error
	})
	return rows, err
}

func (cs *Customers) storeBlocked(ctx context.Context, id int64, blocked bool) (rows int64, err error) {
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Exec(`UPDATE customers SET blocked = ?, session_epoch = session_epoch + 1 WHERE id = ?`, blocked, id)
		rows = result.RowsAffected
		return result.Error
	})
	return rows, err
}

func accept(tx *database.Tx, id int64, a Acceptance) error {
	return tx.Gorm().Exec(`INSERT INTO offer_acceptances (customer_id, version, accepted_at, address, channel)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (customer_id, version) DO NOTHING`,
		id, a.Version, a.At, a.Address, a.Channel).Error
}

func (cs *Customers) acceptances(ctx context.Context, id int64) ([]Acceptance, error) {
	var list []Acceptance
	err := cs.db.Gorm(ctx).Raw(`SELECT version, accepted_at AS at, address, channel FROM offer_acceptances
		WHERE customer_id = ? ORDER BY accepted_at`, id).Scan(&list).Error
	return list, err
}

func (cs *Customers) isFamiliar(ctx context.Context, id int64, address string, since time.Time) (bool, error) {
	var n int64
	err := cs.db.Gorm(ctx).Raw(`SELECT COUNT(*) FROM familiar_addresses WHERE customer_id = ? AND address = ? AND seen_at > ?`,
		id, address, since).Scan(&n).Error
	return n > 0, err
}

func remember(tx *database.Tx, id int64, address string, now time.Time) error {
	return tx.Gorm().Exec(`INSERT INTO familiar_addresses (customer_id, address, seen_at) VALUES (?, ?, ?)
		ON CONFLICT (customer_id, address) DO UPDATE SET seen_at = excluded.seen_at`, id, address, now).Error
}

func (cs *Customers) purge(ctx context.Context, now time.Time) (int64, error) {
	// The first conditions spare what became fresh meanwhile.
	old := now.Add(-codeHistory)
	codes, err := cs.db.Purge(ctx, `DELETE FROM confirmations WHERE expires_at < ? AND (session_key, purpose) IN
		(SELECT session_key, purpose FROM confirmations WHERE expires_at < ? LIMIT ?)`, old, old)
	if err != nil {
		return codes, err
	}
	old = now.Add(-familiarFor)
	addresses, err := cs.db.Purge(ctx, `DELETE FROM familiar_addresses WHERE seen_at < ? AND (customer_id, address) IN
		(SELECT customer_id, address FROM familiar_addresses WHERE seen_at < ? LIMIT ?)`, old, old)
	return codes + addresses, err
}
