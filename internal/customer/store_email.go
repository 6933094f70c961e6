package customer

import (
	"context"
	"time"

	"elsom/internal/database"
)

// emailCode is a row of email_codes.
type emailCode struct {
	CustomerID int64
	CodeHash   string
	// Tries is the number of attempts at the code.
	Tries             int64
	SentAt, ExpiresAt time.Time
}

// emailCode returns the last code that was sent to the customer's address; nil if there
// is none.
func (cs *Customers) emailCode(ctx context.Context, id int64) (*emailCode, error) {
	var rows []emailCode
	err := cs.db.Gorm(ctx).Raw(`SELECT customer_id, code_hash, tries, sent_at, expires_at FROM email_codes WHERE customer_id = ?`, id).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// storeEmailCode stores a code in place of the last one.
func storeEmailCode(tx *database.Tx, row emailCode) error {
	return tx.Gorm().Exec(`INSERT INTO email_codes (customer_id, code_hash, tries, sent_at, expires_at) VALUES (?, ?, 0, ?, ?)
		ON CONFLICT (customer_id) DO UPDATE SET code_hash = excluded.code_hash, tries = 0, sent_at = excluded.sent_at, expires_at = excluded.expires_at`,
		row.CustomerID, row.CodeHash, row.SentAt, row.ExpiresAt).Error
}

// countEmailAttempt counts an attempt at a code and returns its row; nil if no attempt is
// left or the code has expired. It commits before the code is compared.
func (cs *Customers) countEmailAttempt(ctx context.Context, id int64, now time.Time) (*emailCode, error) {
	var rows []emailCode
	err := cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		rows = nil
		//mutant:replace AND tries < ? => AND ? > 0 TestEmailCodeHasFiveTries
		//mutant:replace AND expires_at > ? => AND sent_at < ? TestEmailCodeExpires
		return tx.Gorm().Raw(`UPDATE email_codes SET tries = tries + 1 WHERE customer_id = ? AND expires_at > ? AND tries < ?
			RETURNING customer_id, code_hash, tries, sent_at, expires_at`, id, now, codeTries).Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// confirmEmail uses a code up and marks the address as confirmed. It reports false if
// either was changed meanwhile.
func confirmEmail(tx *database.Tx, id int64, codeHash, address string, now time.Time) (bool, error) {
	used := tx.Gorm().Exec(`DELETE FROM email_codes WHERE customer_id = ? AND code_hash = ?`, id, codeHash)
	if used.Error != nil || used.RowsAffected == 0 {
		return false, used.Error
	}
	//mutant:replace AND email = ? => AND ? <> '' TestAddressChangedWhileConfirming
	marked := tx.Gorm().Exec(`UPDATE customers SET email_confirmed_at = ? WHERE id = ? AND email = ?`, now, id, address)
	return marked.RowsAffected == 1, marked.Error
}

func (cs *Customers) purgeEmailCodes(ctx context.Context, old time.Time) (int64, error) {
	return cs.db.Purge(ctx, `DELETE FROM email_codes WHERE expires_at < ? AND customer_id IN
		(SELECT customer_id FROM email_codes WHERE expires_at < ? LIMIT ?)`, old, old)
}

// storeNotices changes a customer's choices. It reports false if they were changed
// meanwhile.
func storeNotices(tx *database.Tx, id int64, from, to Notices) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE customers SET notices = ? WHERE id = ? AND notices = ?`, int64(to), id, int64(from))
	return result.RowsAffected == 1, result.Error
}
