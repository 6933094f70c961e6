package billerlogin

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"elsom/internal/database"
	"elsom/internal/operatorlog"
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
	return db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		before, err := current(tx, r.Biller)
		if err != nil {
			return err
		}
		if err := tx.Gorm().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "biller"}}, UpdateAll: true}).Create(&r).Error; err != nil {
			return err
		}
		return operatorlog.Record(ctx, tx, operatorlog.Change{Subject: subject(r.Biller), Before: before, After: state(r)})
	})
}

// replaceSealed changes the sealed password of a login that is as it was read.
func replaceSealed(ctx context.Context, db *database.DB, was row, sealed string) error {
	return db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec("UPDATE biller_logins SET sealed = ? WHERE biller = ? AND sealed = ?", sealed, was.Biller, was.Sealed).Error
	})
}

func remove(ctx context.Context, db *database.DB, biller string) (removed bool, err error) {
	err = db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		before, err := current(tx, biller)
		if err != nil {
			return err
		}
		result := tx.Gorm().Delete(&row{Biller: biller})
		if removed = result.RowsAffected > 0; result.Error != nil || !removed {
			return result.Error
		}
		return operatorlog.Record(ctx, tx, operatorlog.Change{Subject: subject(biller), Before: before})
	})
	return removed, err
}

func subject(biller string) string { return "biller login " + biller }

// state returns what the operator log has of a login: no password.
func state(r row) any { return map[string]any{"user": r.Username, "set_at": r.SetAt.UTC()} }

// current returns the state of a biller's login; nil if it has none.
func current(tx *database.Tx, biller string) (any, error) {
	var rows []row
	err := tx.Gorm().Where("biller = ?", biller).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return state(rows[0]), nil
}
