package wallet

import (
	"context"

	"elsom/internal/customer"
	"elsom/internal/database"
)

// CloseProven closes a wallet whose obstacles and password were looked at before.
func (cl *Closing) CloseProven(ctx context.Context, c customer.Customer) error {
	return cl.parts.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error { return cl.close(ctx, tx, c) })
}
