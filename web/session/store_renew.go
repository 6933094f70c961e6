package session

import "elsom/internal/database"

// lockRow returns a session's row and locks it until the transaction ends; nil if the
// session has ended.
func lockRow(tx *database.Tx, handle, epoch int64) (*row, error) {
	var rows []row
	err := tx.Gorm().Raw(`SELECT * FROM sessions WHERE handle = ? AND epoch = ?`+tx.ForUpdate(), handle, epoch).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// storeRenewal writes what a renewal changes in a locked row.
func storeRenewal(tx *database.Tx, r *row) error {
	return tx.Gorm().Exec(`UPDATE sessions SET id = ?, known = ?, mac = ?, data = ?, version = version + 1 WHERE handle = ?`,
		r.ID, r.Known, r.MAC, r.Data, r.Handle).Error
}
