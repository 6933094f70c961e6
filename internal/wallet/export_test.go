package wallet

import (
	"context"

	"elsom/internal/customer"
	"elsom/internal/database"
)

// CloseProven closes a wallet without checking obstacles and password first.
func (cl *Closing) CloseProven(ctx context.Context, c customer.Customer) error {
	return cl.parts.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error { return cl.close(ctx, tx, c) })
}
