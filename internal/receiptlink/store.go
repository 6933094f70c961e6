package receiptlink

import (
	"context"
	"time"

	"elsom/internal/database"
)

const columns = "l.id, l.customer_id, l.payment_id, l.made_at, l.expires_at, l.views"

func first(rows []Link, err error) (*Link, error) {
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	l := &rows[0]
	l.MadeAt, l.ExpiresAt = l.MadeAt.UTC(), l.ExpiresAt.UTC()
	return l, nil
}

// read returns a link that has not expired, of a wallet that is open.
func (ls *Links) read(ctx context.Context, id int64) (*Link, error) {
	var rows []Link
	//mutant:replace AND l.expires_at > ? => AND l.expires_at <> ? TestExpiredLinkIsNotFound
	//mutant:replace AND c.closed_at IS NULL => ./web TestSharedReceiptOfAClosedWallet
	err := ls.db.Gorm(ctx).Raw(`SELECT `+columns+` FROM receipt_links l JOIN customers c ON c.id = l.customer_id
		WHERE l.id = ? AND l.expires_at > ? AND c.closed_at IS NULL`, id, database.StoredTime(ls.db.Now())).Scan(&rows).Error
	return first(rows, err)
}

// find returns the link of a payment that has not expired.
func (ls *Links) find(ctx context.Context, customerID, paymentID int64) (*Link, error) {
	var rows []Link
	err := ls.db.Gorm(ctx).Raw(`SELECT `+columns+` FROM receipt_links l WHERE l.customer_id = ? AND l.payment_id = ? AND l.expires_at > ?`,
		customerID, paymentID, database.StoredTime(ls.db.Now())).Scan(&rows).Error
	return first(rows, err)
}

func deleteExpired(tx *database.Tx, customerID int64, now time.Time) error {
	return tx.Gorm().Exec("DELETE FROM receipt_links WHERE customer_id = ? AND expires_at <= ?", customerID, database.StoredTime(now)).Error
}

func count(tx *database.Tx, customerID int64) (n int, err error) {
	err = tx.Gorm().Raw("SELECT COUNT(*) FROM receipt_links WHERE customer_id = ?", customerID).Scan(&n).Error
	return n, err
}

// insert stores a link unless the payment got one meanwhile.
func insert(tx *database.Tx, l Link) error {
	return tx.Gorm().Exec(`INSERT INTO receipt_links (id, customer_id, payment_id, made_at, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (customer_id, payment_id) DO NOTHING`, l.ID, l.CustomerID, l.PaymentID, l.MadeAt, l.ExpiresAt).Error
}

func remove(tx *database.Tx, customerID, paymentID int64) error {
	return tx.Gorm().Exec("DELETE FROM receipt_links WHERE customer_id = ? AND payment_id = ?", customerID, paymentID).Error
}

func countView(tx *database.Tx, id int64) error {
	return tx.Gorm().Exec("UPDATE receipt_links SET views = views + 1 WHERE id = ? AND views < ?", id, maxViews).Error
}

func (ls *Links) purge(ctx context.Context, now time.Time) (int64, error) {
	return ls.db.Purge(ctx, `DELETE FROM receipt_links WHERE id IN (SELECT id FROM receipt_links WHERE id < ? AND expires_at <= ? ORDER BY id LIMIT ?)`,
		database.FirstID(now.Add(-Lifetime)), database.StoredTime(now))
}
