package customer

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"elsom/internal/database"
)

// confirmation is a row of confirmations: what an SMS code would confirm.
type confirmation struct {
	SessionKey   string
	Purpose      string
	Phone        string
	Email        string
	PasswordHash string
	Offer        string
	Lang         string
	Address      string
	CodeHash     string
	Tries        int64
	// Without the tag GORM would not update the column when the row is replaced.
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	SentAt    time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// TableName names the table for GORM.
func (confirmation) TableName() string { return "confirmations" }

// storeConfirmation stores what a code would confirm, in place of an earlier
// confirmation of the session for the same purpose.
func storeConfirmation(tx *database.Tx, row *confirmation) error {
	return tx.Gorm().Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "session_key"}, {Name: "purpose"}},
		UpdateAll: true,
	}).Create(row).Error
}

func (cs *Customers) confirmation(ctx context.Context, sessionKey string, purpose Purpose) (row *confirmation, found bool, err error) {
	var rows []confirmation
	err = cs.db.Gorm(ctx).Where("session_key = ? AND purpose = ?", sessionKey, purpose).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	return &rows[0], true, nil
}

// countCodeAttempt counts an attempt at a code and returns its row. counted is false
// if no attempt is left or the code has expired. It commits before the code is
// compared.
func (cs *Customers) countCodeAttempt(ctx context.Context, sessionKey string, purpose Purpose, now time.Time) (row *confirmation, counted bool, err error) {
	var rows []confirmation
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		rows = nil
		//mutant:replace AND tries < ? => AND ? > 0 TestCodeHasFiveAttempts
		//mutant:replace AND expires_at > ? => AND created_at < ? TestCodeExpiresAfterTenMinutes
		//mutant:replace WHERE session_key = ? => WHERE session_key <> '' || ? TestCodeIsBoundToTheBrowser
		//mutant:replace tries + 1 => tries TestConcurrentCodeAttemptsAreCounted
		//mutant:replace AND purpose = ? => AND purpose <> '' || ? TestCodeIsBoundToItsPurpose
		return tx.Gorm().Raw(`UPDATE confirmations SET tries = tries + 1
			WHERE session_key = ? AND purpose = ? AND used_at IS NULL AND expires_at > ? AND tries < ?
			RETURNING `+database.ColumnsOf[confirmation](), sessionKey, purpose, now, codeTries).Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	return &rows[0], true, nil
}

// useCode marks a code as used and deletes the password from its row. It reports
// false if it was used or replaced meanwhile.
func useCode(tx *database.Tx, row *confirmation, now time.Time) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE confirmations SET used_at = ?, email = '', password_hash = ''
		WHERE session_key = ? AND purpose = ? AND used_at IS NULL AND code_hash = ?`,
		now, row.SessionKey, row.Purpose, row.CodeHash)
	//mutant:replace result.RowsAffected == 1 => true TestCodeIsSpentOnce
	return result.RowsAffected == 1, result.Error
}

// replaceCode replaces the code. It reports false if it was replaced meanwhile or
// the pause is not over.
func replaceCode(tx *database.Tx, row *confirmation, codeHash string, now time.Time) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE confirmations SET code_hash = ?, tries = 0, sent_at = ?, expires_at = ?
		WHERE session_key = ? AND purpose = ? AND used_at IS NULL AND code_hash = ? AND sent_at <= ?`,
		codeHash, now, now.Add(CodeLife), row.SessionKey, row.Purpose, row.CodeHash, now.Add(-ResendPause))
	return result.RowsAffected == 1, result.Error
}
