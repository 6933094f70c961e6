package draft

import "elsom/internal/database"

// storeConfirmed records the browser session that confirmed a draft of a table.
func storeConfirmed(tx *database.Tx, table string, id int64, session string) error {
	return tx.Gorm().Exec("UPDATE "+table+" SET confirmed_by = ? WHERE id = ?", session, id).Error
}
