package testkit

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"elsom/internal/audit"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/testkit/require"
	"elsom/internal/wallet"
)

// Company is an ИНН of a company at DosTek.
const Company = "00207199610017"

// NewCustomer registers a customer with balance in the wallet.
func (a *App) NewCustomer(balance money.Amount) customer.Customer {
	a.T.Helper()
	id := a.DB.NewID()
	err := a.DB.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		row := customer.Record{ID: id, Phone: fmt.Sprintf("+996700%06d", id%1_000_000), Lang: "ru", Level: catalog.StandardLevel, CreatedAt: tx.Now()}
		if err := row.Insert(tx); err != nil {
			return err
		}
		return wallet.Open(ctx, tx, id)
	})
	require.NoError(a.T, err)
	if balance > 0 {
		a.Deposit(id, balance)
	}
	return a.Customer(id)
}

// Customer reads a customer as stored now, as if signed in with a known browser.
func (a *App) Customer(id int64) customer.Customer {
	a.T.Helper()
	c, err := a.Customers.ByID(context.Background(), id)
	require.NoError(a.T, err)
	c.Browser = customer.Browser{Session: "a test", Known: true}
	return c
}

// Deposit puts money into a wallet by a transfer of the operation test.fill.
func (a *App) Deposit(id int64, amount money.Amount) {
	a.T.Helper()
	ctx := context.Background()
	bank, err := a.Ledger.Account(ctx, ledger.Bank, "test")
	require.NoError(a.T, err)
	_, err = a.Ledger.Post(ctx, ledger.Posting{Key: "fill:" + strconv.FormatInt(a.DB.NewID(), 10), Op: "test.fill",
		Entries: []ledger.Entry{{Account: bank, Amount: -amount}, {Account: id, Amount: amount}}})
	require.NoError(a.T, err)
}

// WantBalance ends the test unless the customer's wallet has that balance.
func (a *App) WantBalance(id int64, want money.Amount) {
	a.T.Helper()
	got, err := a.Ledger.Balance(context.Background(), id)
	require.NoError(a.T, err)
	if got != want {
		a.T.Fatalf("the wallet has %s, want %s", got, want)
	}
}

// WantAudit ends the test unless the audit finds nothing but Deposit's own
// operation, which is none of the program's.
func (a *App) WantAudit() {
	a.T.Helper()
	proof, err := audit.Run(context.Background(), a.DB, audit.Outside{})
	require.NoError(a.T, err)
	proof.Checks = slices.DeleteFunc(proof.Checks, func(c audit.Check) bool { return c.Invariant == "operations" })
	if !proof.OK() {
		a.T.Fatalf("the audit fails: %+v", proof)
	}
}

// Count returns the number that a query returns.
func (a *App) Count(query string, args ...any) (n int) {
	a.T.Helper()
	require.NoError(a.T, a.DB.Gorm(context.Background()).Raw(query, args...).Scan(&n).Error)
	return n
}
