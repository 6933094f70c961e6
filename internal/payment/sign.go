package payment

import (
	"elsom/internal/signature"
)

// Record returns the canonical form of the columns that never change after a payment
// is accepted. It is stored in signatures and in the log, so it never changes.
func (p Payment) Record() *signature.Record {
	return signature.NewRecord(signature.Payment, p.ID).
		Int(p.CustomerID).Text(p.Service).Text(p.Biller).Text(p.Identifier).Text(p.Payee).
		Int(int64(p.Amount)).Int(int64(p.Fee)).Text(p.TxnID).Text(p.Code).Text(string(p.Channel)).Time(p.AcceptedAt)
}
