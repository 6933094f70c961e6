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
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
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
	db, err := database.Open(ctx, "sqlite:"+path, database.WithClock(func() time.Time { return startTime.Add(-time.Hour) }),
		database.WithKeys(bookFiles[0], true))
	require.NoError(t, err)
	require.NoError(t, db.Migrate(ctx))
	require.NoError(t, catalog.New(db, catalog.Options{}).Seed(ctx))
	testkit.EditCatalog(t, catalog.New(db, catalog.Options{}), `url: .*`, `url: "http://127.0.0.1:1/"`,
		`(?s)(code: dostek.*?answers_stored_outcome:) false`, `$1 true`, `(?s)(^services:.*code: hoster.*?fee:) none`, `$1 {fixed: "1.50"}`,
		`^    balance: .*$`, `    balance: "1500"`, `^    operation: .*$`, `    operation: "600"`, `^    month: .*$`, `    month: "1200"`)
	h := &template{path: path}
	for n := range 3 {
		added := holder{id: db.NewID(), phone: fmt.Sprintf("+99670012345%d", n)}
		require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			row := customer.Record{ID: added.id, Phone: added.phone, Lang: "ru", Level: catalog.StandardLevel, CreatedAt: tx.Now()}
			if err := row.Insert(tx); err != nil {
				return err
			}
			return wallet.Open(ctx, tx, added.id)
		}))
		h.holders = append(h.holders, added)
	}
	register, err := cashin.NewAgents(db, nil, nil)
	require.NoError(t, err)
	for _, code := range []string{"kicb", "qiwi"} {
		require.NoError(t, register.AddAgent(ctx, cashin.NewAgent{Code: code, Name: code, Password: "a password of the agent", Ceiling: 4_000_00}))
	}
	h.agents, err = register.ListAgents(ctx)
	require.NoError(t, err)
	_, err = db.Pool().Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	h.file, err = os.ReadFile(path)
	require.NoError(t, err)
	return h
}
