package gateway

import (
	"context"
	"strings"
	"time"

	"elsom/internal/credential"
	"elsom/internal/database"
)

type row struct {
	Code         string
	Name         string
	PasswordHash string
	PasswordMAC  string `gorm:"column:password_mac"`
	Allowed      string
	Disabled     bool
	CreatedAt    time.Time
	Scopes       string
	Inputs       string
}

const columns = "code, name, password_hash, password_mac, allowed, disabled, created_at, scopes, inputs"

// everyScope is the scopes of a row for which nobody has chosen any.
const everyScope = "*"

func (r row) gateway() Gateway {
	allowed, whole := credential.ReadAllowed(r.Allowed)
	g := Gateway{
		Code: r.Code, Name: r.Name, Allowed: allowed, Disabled: r.Disabled || !whole, Unreadable: !whole,
		Inputs: Inputs(r.Inputs), CreatedAt: r.CreatedAt.UTC(),
	}
	if r.Scopes == everyScope {
		g.Scopes, g.Unscoped = Scopes(), true
		return g
	}
	for field := range strings.FieldsSeq(r.Scopes) {
		g.Scopes = append(g.Scopes, Scope(field))
	}
	return g
}

func writeScopes(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, s := range scopes {
		texts[i] = string(s)
	}
	return strings.Join(texts, " ")
}

func insert(ctx context.Context, db *database.DB, g NewGateway, hash, mac string) (added bool, err error) {
	result := db.Gorm(ctx).Exec("INSERT INTO gateways ("+columns+") VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (code) DO NOTHING",
		g.Code, g.Name, hash, mac, credential.WriteAllowed(g.Allowed), false, db.Now(), writeScopes(g.Scopes), string(g.Inputs))
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

// update changes what the change names; hash and mac are the new
// password's, or empty.
func update(ctx context.Context, db *database.DB, code string, c Change, hash, mac string) (found bool, err error) {
	set, values := []string{}, []any{}
	column := func(name string, value any) {
		set, values = append(set, name+" = ?"), append(values, value)
	}
	if c.Name != nil {
		column("name", *c.Name)
	}
	if hash != "" {
		column("password_hash", hash)
		column("password_mac", mac)
	}
	if c.Allowed != nil {
		column("allowed", credential.WriteAllowed(*c.Allowed))
	}
	if len(c.Scopes) > 0 {
		column("scopes", writeScopes(c.Scopes))
	}
	if c.Inputs != "" {
		column("inputs", string(c.Inputs))
	}
	result := db.Gorm(ctx).Exec("UPDATE gateways SET "+strings.Join(set, ", ")+" WHERE code = ?", append(values, code)...)
	return result.RowsAffected == 1, result.Error
}

func setDisabled(ctx context.Context, db *database.DB, code string, disabled bool) (found bool, err error) {
	result := db.Gorm(ctx).Exec("UPDATE gateways SET disabled = ? WHERE code = ?", disabled, code)
	return result.RowsAffected == 1, result.Error
}

// keepMAC stores the keyed hash of a password that was found right, unless the
// password was changed meanwhile.
func keepMAC(ctx context.Context, db *database.DB, code, hash, mac string) error {
	return db.Gorm(ctx).Exec("UPDATE gateways SET password_mac = ? WHERE code = ? AND password_hash = ?", mac, code, hash).Error
}
