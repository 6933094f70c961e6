package customer

import (
	"context"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// sign signs the row in a transaction that stores it.
func (r *Record) sign(tx *database.Tx) {
	//mutant:replace tx.Sign(r.signed()) => nil, "" TestCustomersAreSigned
	r.MAC, r.KeyID = tx.Sign(r.signed())
}

// signed returns the canonical form of what a customer's row decides about money: which
// wallet a number has, its level, and its blocks. It is stored in signatures and in the
// log, so it never changes.
func (r *Record) signed() *signature.Record {
	return signature.NewRecord(signature.Customer, r.ID).Text(r.Phone).Text(r.ClosedPhone).Text(r.Level).Bool(r.Blocked).Bool(r.BlockedOut)
}

// changeSigned runs a change of what the signature of a customer covers, whom the
// transaction has locked, and signs the row as it is then. It returns fault.Unavailable
// for a row that is not as it was signed, or not its newest state: the new signature would
// cover what was forged, or make an earlier state the newest.
func changeSigned(ctx context.Context, tx *database.Tx, before *Record, change func() error) error {
	//mutant:drop TestForgedCustomerIsNotSigned
	if err := before.verifyNewest(ctx, tx); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	now, err := readByID(tx, before.ID)
	if err != nil {
		return err
	}
	return updateSignature(tx, now)
}

func (r *Record) verifyNewest(ctx context.Context, tx *database.Tx) error {
	return tx.VerifyNewest(ctx, r.signed(), r.MAC, r.KeyID)
}

// CheckSigned returns fault.Unavailable if the number, the level or the blocks of a
// customer are not as they were signed. It must be called before money goes by them:
// before a limit of the level is applied, and before money goes to the wallet of a number.
func CheckSigned(ctx context.Context, db *database.DB, c Customer) error {
	r := Record{ID: c.ID, Phone: c.Phone.String(), Level: c.Level, Blocked: c.Blocked, BlockedOut: c.BlockedOut}
	if c.Closed {
		r.Phone, r.ClosedPhone = closedPhone(c.ID), c.Phone.String()
	}
	return db.Verify(ctx, r.signed(), []byte(c.mac), c.keyID)
}
