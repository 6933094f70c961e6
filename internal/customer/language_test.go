package customer

import (
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
)

// The CHECK constraint of customers.lang lists the languages a second time.
func TestDatabaseTakesEachLanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		insert := func(id int, lang string) error {
			_, err := db.Pool().ExecContext(t.Context(), `INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
				VALUES ($1, $2, '', $3, '', FALSE, 1, 'standard', $4)`, id, "+99670000000"+string(rune('0'+id)), lang, db.Now())
			return err
		}
		for i, lang := range i18n.Langs() {
			if err := insert(i+1, string(lang)); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
		}
		if err := insert(9, "de"); err == nil {
			t.Error("a language outside the list was stored")
		}
	})
}
