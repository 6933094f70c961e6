package draft

import "elsom/internal/database"

// storeConfirmed stores the confirmation of a draft of a table.
func storeConfirmed(tx *database.Tx, table string, id int64, confirmation string) error {
	return tx.Gorm().Exec("UPDATE "+table+" SET confirmed_by = ? WHERE id = ?", confirmation, id).Error
}
