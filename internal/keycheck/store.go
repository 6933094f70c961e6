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

// list reads the check values of each name, the newest last; none from a database with
// an older schema.
func list(ctx context.Context, db *database.DB) (map[Name][]row, error) {
	if there, err := db.HasTable(ctx, table); err != nil || !there {
		return nil, err
	}
	var rows []row
	//mutant:replace ("id") => ("id DESC") TestNewestKeyIsVerified
	if err := db.Gorm(ctx).Select("name", "id", "check_value", "created_at").Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	byName := map[Name][]row{}
	for _, r := range rows {
		byName[r.Name] = append(byName[r.Name], r)
	}
	return byName, nil
}

func insert(ctx context.Context, db *database.DB, rows []row) error {
	return db.Gorm(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}
