package databasetest

import (
	"context"
	"testing"

	"gorm.io/gorm"

	"elsom/internal/database"
)

// Tamper runs a statement as the owner of the database could: without triggers and
// foreign keys, which are in place again afterwards. Tests also use it to age rows
// that are append-only.
func Tamper(t testing.TB, db *database.DB, statement string, args ...any) {
	t.Helper()
	err := Superuser(t, db).Gorm(context.Background()).Connection(func(g *gorm.DB) error {
		remove, restore, err := guards(g, db.Dialect())
		if err != nil {
			return err
		}
		for _, s := range remove {
			if err := g.Exec(s).Error; err != nil {
				return err
			}
		}
		if err := g.Exec(statement, args...).Error; err != nil {
			return err
		}
		for _, s := range restore {
			if err := g.Exec(s).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// guards returns the statements that take away what refuses a change, and those that
// put it back.
func guards(g *gorm.DB, dialect database.Dialect) (remove, restore []string, err error) {
	if dialect == database.Postgres {
		return []string{"SET session_replication_role = replica"}, []string{"RESET session_replication_role"}, nil
	}
	var triggers []struct{ Name, SQL string }
	err = g.Raw("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name").Scan(&triggers).Error
	remove, restore = []string{"PRAGMA foreign_keys = off"}, []string{"PRAGMA foreign_keys = on"}
	for _, trigger := range triggers {
		remove, restore = append(remove, "DROP TRIGGER "+trigger.Name), append(restore, trigger.SQL)
	}
	return remove, restore, err
}
