package billerlogin

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"elsom/internal/database"
)

type row struct {
	Biller   string `gorm:"primaryKey"`
	Username string
	Sealed   string
	SetAt    time.Time
}

func (row) TableName() string { return "biller_logins" }

func list(ctx context.Context, db *database.DB) (rows []row, err error) {
	err = db.Gorm(ctx).Select("biller", "username", "sealed", "set_at").Order("biller").Find(&rows).Error
	return rows, err
}

func upsert(ctx context.Context, db *database.DB, r row) error {
	return db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "biller"}}, UpdateAll: true}).Create(&r).Error
	})
}

// replaceSealed changes the sealed password of a login that is as it was read.
func replaceSealed(ctx context.Context, db *database.DB, was row, sealed string) error {
	return db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec("UPDATE biller_logins SET sealed = ? WHERE biller = ? AND sealed = ?", sealed, was.Biller, was.Sealed).Error
	})
}

func remove(ctx context.Context, db *database.DB, biller string) (removed bool, err error) {
	err = db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Delete(&row{Biller: biller})
		removed = result.RowsAffected > 0
		return result.Error
	})
	return removed, err
}
