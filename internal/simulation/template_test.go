package simulation_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/wallet"
)

// template is the database that every simulation starts with: wallets and agents.
type template struct {
	path    string
	file    []byte
	holders []holder
	agents  []cashin.Agent
}

// buildTemplate makes the template.
func buildTemplate(t *testing.T, folder string) *template {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(folder, "template.db")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := database.Open(ctx, "sqlite:"+path, database.WithClock(func() time.Time { return startTime.Add(-time.Hour) }))
	must(err)
	must(db.Migrate(ctx))
	must(catalog.New(db, catalog.Options{}).Seed(ctx))
	must(db.Gorm(ctx).Exec("UPDATE catalog_billers SET url = 'http://127.0.0.1:1/', answers_stored_outcome = (code = 'dostek')").Error)
	must(db.Gorm(ctx).Exec("UPDATE catalog_services SET fee_fixed = 150 WHERE code = 'hoster'").Error)
	must(db.Gorm(ctx).Exec("UPDATE catalog_levels SET balance = 150000, operation = 60000, month = 120000").Error)
	h := &template{path: path}
	for n := range 3 {
		who := holder{id: db.NewID(), phone: fmt.Sprintf("+99670012345%d", n)}
		must(db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			row := customer.Record{ID: who.id, Phone: who.phone, Lang: "ru", Level: catalog.StandardLevel, CreatedAt: tx.Now()}
			if err := tx.Gorm().Create(&row).Error; err != nil {
				return err
			}
			return wallet.Open(ctx, tx, who.id)
		}))
		h.holders = append(h.holders, who)
	}
	register, err := cashin.NewAgents(db, nil, nil)
	must(err)
	for _, code := range []string{"kicb", "qiwi"} {
		must(register.AddAgent(ctx, cashin.NewAgent{Code: code, Name: code, Password: "a password of the agent", Ceiling: 4_000_00}))
	}
	h.agents, err = register.ListAgents(ctx)
	must(err)
	_, err = db.Pool().Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	must(err)
	must(db.Close())
	h.file, err = os.ReadFile(path)
	must(err)
	return h
}
