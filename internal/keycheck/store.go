package keycheck

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"elsom/internal/database"
)

type row struct {
	Name       Name  `gorm:"primaryKey"`
	ID         int64 `gorm:"primaryKey;autoIncrement:false"`
	CheckValue string
	CreatedAt  time.Time
}

const table = "server_keys"

func (row) TableName() string { return table }

// newest reads the newest check value of each name; none from a database with an
// older schema.
func newest(ctx context.Context, db *database.DB) (map[Name]row, error) {
	if there, err := db.HasTable(ctx, table); err != nil || !there {
		return nil, err
	}
	var rows []row
	//mutant:replace ("id") => ("id DESC") TestNewestKeyIsVerified
	if err := db.Gorm(ctx).Select("name", "id", "check_value", "created_at").Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	last := map[Name]row{}
	for _, r := range rows {
		last[r.Name] = r
	}
	return last, nil
}

func insert(ctx context.Context, db *database.DB, keys []Key) error {
	rows, now := make([]row, len(keys)), db.Now()
	for i, k := range keys {
		rows[i] = row{Name: k.Name, ID: firstID, CheckValue: k.check(firstID), CreatedAt: now}
	}
	return db.Gorm(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}
