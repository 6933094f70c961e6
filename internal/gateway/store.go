package gateway

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/keychain"
)

type row struct {
	Code         string
	Name         string
	PasswordHash string
	PasswordMAC  string `gorm:"column:password_mac"`
	Allowed      string
	Disabled     bool
	CreatedAt    time.Time
}

const columns = "code, name, password_hash, password_mac, allowed, disabled, created_at"

func (r row) gateway() Gateway {
	allowed, whole := keychain.ReadAllowed(r.Allowed)
	return Gateway{Code: r.Code, Name: r.Name, Allowed: allowed, Disabled: r.Disabled || !whole, CreatedAt: r.CreatedAt.UTC()}
}

func insert(ctx context.Context, db *database.DB, g NewGateway, hash, mac string) (added bool, err error) {
	result := db.Gorm(ctx).Exec("INSERT INTO gateways ("+columns+") VALUES (?,?,?,?,?,?,?) ON CONFLICT (code) DO NOTHING",
		g.Code, g.Name, hash, mac, keychain.WriteAllowed(g.Allowed), false, db.Now())
	return result.RowsAffected == 1, result.Error
}

func readRow(ctx context.Context, db *database.DB, code string) (r row, err error) {
	err = db.Gorm(ctx).Raw("SELECT "+columns+" FROM gateways WHERE code = ?", code).Scan(&r).Error
	return r, err
}

func readAll(ctx context.Context, db *database.DB) ([]row, error) {
	var rows []row
	err := db.Gorm(ctx).Raw("SELECT " + columns + " FROM gateways ORDER BY code").Scan(&rows).Error
	return rows, err
}

func disable(ctx context.Context, db *database.DB, code string) (bool, error) {
	result := db.Gorm(ctx).Exec("UPDATE gateways SET disabled = TRUE WHERE code = ?", code)
	return result.RowsAffected == 1, result.Error
}

// keepMAC stores the keyed hash of a password that was found right, unless the
// password was changed meanwhile.
func keepMAC(ctx context.Context, db *database.DB, code, hash, mac string) error {
	return db.Gorm(ctx).Exec("UPDATE gateways SET password_mac = ? WHERE code = ? AND password_hash = ?", mac, code, hash).Error
}
