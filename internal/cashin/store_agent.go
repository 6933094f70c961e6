package cashin

import (
	"context"
	"strings"
	"time"

	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/money"
)

type agentRow struct {
	Code         string
	Name         string
	PasswordHash string
	PasswordMAC  string `gorm:"column:password_mac"`
	Allowed      string
	Ceiling      money.Amount
	TillID       int64
	Disabled     bool
	CreatedAt    time.Time
}

const agentColumns = "code, name, password_hash, password_mac, allowed, ceiling, till_id, disabled, created_at"

func (r agentRow) agent() Agent {
	a := Agent{
		Code: r.Code, Name: r.Name, Ceiling: r.Ceiling, Disabled: r.Disabled, Till: r.TillID, CreatedAt: r.CreatedAt,
	}
	allowed, whole := credential.ReadAllowed(r.Allowed)
	a.Allowed, a.Disabled, a.Unreadable = allowed, a.Disabled || !whole, !whole
	return a
}

func insertAgent(tx *database.Tx, a NewAgent, hash, mac string, till int64) (added bool, err error) {
	result := tx.Gorm().Exec("INSERT INTO agents ("+agentColumns+") VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (code) DO NOTHING",
		a.Code, a.Name, hash, mac, credential.WriteAllowed(a.Allowed), a.Ceiling, till, false, tx.Now())
	return result.RowsAffected == 1, result.Error
}

func readAgent(ctx context.Context, db *database.DB, code string) (agentRow, bool, error) {
	if !credential.IsCode(code) {
		return agentRow{}, false, nil
	}
	var rows []agentRow
	err := db.Gorm(ctx).Raw("SELECT "+agentColumns+" FROM agents WHERE code = ?", code).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return agentRow{}, false, err
	}
	return rows[0], true, nil
}

func readAgents(ctx context.Context, db *database.DB) ([]agentRow, error) {
	var rows []agentRow
	err := db.Gorm(ctx).Raw("SELECT " + agentColumns + " FROM agents ORDER BY code").Scan(&rows).Error
	return rows, err
}

func setAgentDisabled(ctx context.Context, db *database.DB, code string, disabled bool) (found bool, err error) {
	result := db.Gorm(ctx).Exec("UPDATE agents SET disabled = ? WHERE code = ?", disabled, code)
	return result.RowsAffected == 1, result.Error
}

// keepAgentMAC stores the keyed hash of a password that was found right, unless
// the password was changed meanwhile.
func keepAgentMAC(ctx context.Context, db *database.DB, code, hash, mac string) error {
	return db.Gorm(ctx).Exec("UPDATE agents SET password_mac = ? WHERE code = ? AND password_hash = ?", mac, code, hash).Error
}

// updateAgent changes what the change names; hash and mac are the new
// password's, or empty. It returns the agent's till.
func updateAgent(tx *database.Tx, code string, c AgentChange, hash, mac string) (till int64, found bool, err error) {
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
	if c.Ceiling != nil {
		column("ceiling", *c.Ceiling)
	}
	var tills []int64
	err = tx.Gorm().Raw("UPDATE agents SET "+strings.Join(set, ", ")+" WHERE code = ? RETURNING till_id", append(values, code)...).
		Scan(&tills).Error
	if err != nil || len(tills) == 0 {
		return 0, false, err
	}
	return tills[0], true, nil
}

// codeOfName returns the code of an agent with this name in any case of
// letters, or "".
func codeOfName(ctx context.Context, db *database.DB, name string) (string, error) {
	all, err := readAgents(ctx, db)
	if err != nil {
		return "", err
	}
	for _, r := range all {
		if strings.EqualFold(r.Name, name) {
			return r.Code, nil
		}
	}
	return "", nil
}
