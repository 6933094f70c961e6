package translog

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"elsom/internal/receipt"
)

// readEnd returns the id of the transfer that ended a payment; 0 if it has not ended.
func readEnd(g *gorm.DB, payment int64) (id int64, err error) {
	err = g.Raw("SELECT id FROM transfers WHERE request_key = ?", receipt.EndKey(payment)).Row().Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// sealsOf returns the first records of the seals that have records of a bucket.
func sealsOf(g *gorm.DB, bucket int64) (firsts []int64, err error) {
	err = g.Raw("SELECT first FROM log_buckets WHERE bucket = ? ORDER BY first", bucket).Scan(&firsts).Error
	return firsts, err
}
