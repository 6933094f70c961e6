package customer

import (
	"context"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
)

// operationCode is a row of operation_codes: the SMS code of an operation in a
// browser session.
type operationCode struct {
	SessionKey string
	Operation  string
	CustomerID int64
	CodeHash   string
	// Codes is the number of codes sent for the operation, Tries that of attempts at
	// the last one.
	Codes, Tries int64
	// Without the tag GORM would set the column itself.
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	SentAt    time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// TableName names the table for GORM.
func (operationCode) TableName() string { return "operation_codes" }

func (cs *Customers) operationCode(ctx context.Context, sessionKey, operation string) (*operationCode, error) {
	return oneOperationCode(cs.db.Gorm(ctx).Where("session_key = ? AND operation = ?", sessionKey, operation))
}

func oneOperationCode(query *gorm.DB) (*operationCode, error) {
	var rows []operationCode
	if err := query.Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// insertOperationCode stores the first code of an operation. It reports false if a
// concurrent request has stored one.
func insertOperationCode(tx *database.Tx, row *operationCode) (bool, error) {
	result := tx.Gorm().Exec(`INSERT INTO operation_codes (session_key, operation, customer_id, code_hash, codes, tries, created_at, sent_at, expires_at)
		VALUES (?, ?, ?, ?, 1, 0, ?, ?, ?) ON CONFLICT (session_key, operation) DO NOTHING`,
		row.SessionKey, row.Operation, row.CustomerID, row.CodeHash, row.CreatedAt, row.SentAt, row.ExpiresAt)
	return result.RowsAffected == 1, result.Error
}

// replaceOperationCode replaces the code. It reports false if it was used or replaced
// meanwhile, or none may be sent anymore.
func replaceOperationCode(tx *database.Tx, row *operationCode, codeHash string, now time.Time) (bool, error) {
	//mutant:replace codes = codes + 1 => codes = codes ./web TestCodesOfADraftAreBounded
	result := tx.Gorm().Exec(`UPDATE operation_codes SET code_hash = ?, codes = codes + 1, tries = 0, sent_at = ?, expires_at = ?
		WHERE session_key = ? AND operation = ? AND used_at IS NULL AND code_hash = ? AND codes < ?`,
		codeHash, now, now.Add(CodeLife), row.SessionKey, row.Operation, row.CodeHash, operationCodes)
	return result.RowsAffected == 1, result.Error
}

// countOperationAttempt counts an attempt at a code and returns its row; nil if no
// attempt is left or the code has expired or was used. It commits before the code is
// compared.
func (cs *Customers) countOperationAttempt(ctx context.Context, sessionKey, operation string, now time.Time) (*operationCode, error) {
	var rows []operationCode
	err := cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		rows = nil
		//mutant:replace AND tries < ? => AND ? > 0 ./web TestConfirmationCodeHasFiveTries
		//mutant:replace AND expires_at > ? => AND created_at < ? ./web TestConfirmationCodeExpires
		return tx.Gorm().Raw(`UPDATE operation_codes SET tries = tries + 1
			WHERE session_key = ? AND operation = ? AND used_at IS NULL AND expires_at > ? AND tries < ?
			RETURNING `+database.ColumnsOf[operationCode](), sessionKey, operation, now, codeTries).Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// useOperationCode marks a code as used. It reports false if it was used or replaced
// meanwhile.
func useOperationCode(tx *database.Tx, row *operationCode, now time.Time) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE operation_codes SET used_at = ?
		WHERE session_key = ? AND operation = ? AND used_at IS NULL AND code_hash = ?`,
		now, row.SessionKey, row.Operation, row.CodeHash)
	return result.RowsAffected == 1, result.Error
}

func (cs *Customers) purgeOperationCodes(ctx context.Context, old time.Time) (int64, error) {
	return cs.db.Purge(ctx, `DELETE FROM operation_codes WHERE expires_at < ? AND (session_key, operation) IN
		(SELECT session_key, operation FROM operation_codes WHERE expires_at < ? LIMIT ?)`, old, old)
}
