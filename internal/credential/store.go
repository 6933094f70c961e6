package credential

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"elsom/internal/database"
)

// row is a stored caller with the columns of its realm's details.
type row[Details any] struct {
	Code         string `gorm:"primaryKey"`
	Name         string
	PasswordHash string
	PasswordMAC  string `gorm:"column:password_mac"`
	Allowed      string
	Disabled     bool
	CreatedAt    time.Time
	Details      Details `gorm:"embedded"`
}

func (r row[D]) entry() Entry[D] {
	allowed, ok := readAllowed(r.Allowed)
	return Entry[D]{
		Code: r.Code, Name: r.Name, Allowed: allowed, Disabled: r.Disabled || !ok, Unreadable: !ok,
		CreatedAt: r.CreatedAt.UTC(), Details: r.Details,
	}
}

// insert inserts a caller. It returns false if the code is taken.
func (r *Register[D]) insert(tx *database.Tx, n New[D], hash, mac string) (inserted bool, err error) {
	result := tx.Gorm().Table(r.realm.Table).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoNothing: true}).Create(&row[D]{
		Code: n.Code, Name: n.Name, PasswordHash: hash, PasswordMAC: mac, Allowed: writeAllowed(n.Allowed),
		CreatedAt: tx.Now(), Details: n.Details,
	})
	return result.RowsAffected == 1, result.Error
}

// read returns the row of a code, or the zero row for an unknown code.
func (r *Register[D]) read(ctx context.Context, code string) (row[D], error) {
	return r.readWith(r.db.Gorm(ctx), code)
}

// readIn is read in a transaction.
func (r *Register[D]) readIn(tx *database.Tx, code string) (row[D], error) {
	return r.readWith(tx.Gorm(), code)
}

func (r *Register[D]) readWith(g *gorm.DB, code string) (found row[D], err error) {
	err = g.Table(r.realm.Table).Where("code = ?", code).Limit(1).Find(&found).Error
	return found, err
}

func (r *Register[D]) readAll(ctx context.Context) (rows []row[D], err error) {
	err = r.db.Gorm(ctx).Table(r.realm.Table).Order("code").Find(&rows).Error
	return rows, err
}

// lock is readIn, and locks the row until the transaction ends.
func (r *Register[D]) lock(tx *database.Tx, code string) (row[D], error) {
	return r.readWith(tx.Gorm().Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}), code)
}

// updateIn sets columns of a row. It returns false for an unknown code.
func (r *Register[D]) updateIn(tx *database.Tx, code string, set map[string]any) (found bool, err error) {
	result := tx.Gorm().Table(r.realm.Table).Where("code = ?", code).Updates(set)
	return result.RowsAffected == 1, result.Error
}

// writeMAC stores the keyed hash of a right password, unless the password was
// changed meanwhile.
func (r *Register[D]) writeMAC(ctx context.Context, code, hash, mac string) error {
	return r.db.Gorm(ctx).Table(r.realm.Table).Where("code = ? AND password_hash = ?", code, hash).
		Updates(map[string]any{"password_mac": mac}).Error
}
