package testkit

import (
	"context"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// ResignDrafts signs all drafts as they are, after a test set their columns, and shows them,
// so that drafts in memory and in the database are the same.
func (a *App) ResignDrafts() {
	a.T.Helper()
	var payments []payment.Draft
	var transfers []transfer.Draft
	g := a.DB.Gorm(context.Background())
	require.NoError(a.T, g.Raw("SELECT "+database.ColumnsOf[payment.Draft]()+" FROM drafts").Scan(&payments).Error)
	require.NoError(a.T, g.Raw("SELECT * FROM wallet_transfer_drafts").Scan(&transfers).Error)
	for _, d := range payments {
		mac, _ := a.DB.Keys().Sign(d.Record())
		databasetest.Tamper(a.T, a.DB, "UPDATE drafts SET mac = ? WHERE id = ?", mac, d.ID)
		_, err := a.Payments.Draft(context.Background(), d.CustomerID, d.Channel, d.ID)
		require.NoError(a.T, err)
	}
	for _, d := range transfers {
		mac, _ := a.DB.Keys().Sign(d.Record())
		databasetest.Tamper(a.T, a.DB, "UPDATE wallet_transfer_drafts SET mac = ? WHERE id = ?", mac, d.ID)
		_, err := a.Transfers.Draft(context.Background(), d.SenderID, d.Channel, d.ID)
		require.NoError(a.T, err)
	}
}
