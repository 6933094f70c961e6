package customer

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

// sign signs a row that a transaction inserts.
func (r *Record) sign(tx *database.Tx) {
	r.signRegistration(tx)
	r.signLogin(tx)
}

func (r *Record) signRegistration(tx *database.Tx) {
	//mutant:replace tx.Sign(r.signed()) => nil, "" TestCustomersAreSigned
	r.MAC, r.KeyID = tx.Sign(r.signed())
}

func (r *Record) signLogin(tx *database.Tx) {
	//mutant:replace tx.Sign(r.signedLogin()) => nil, "" TestCustomersAreSigned
	r.LoginMAC, r.LoginKeyID = tx.Sign(r.signedLogin())
}

// signed returns the canonical form of what a customer's row decides about money: which
// wallet a number has, its level, and its blocks. It is stored in signatures and in the
// log, so it never changes.
func (r *Record) signed() *signature.Record {
	return signature.NewRecord(signature.Customer, r.ID).Text(r.Phone).Text(r.ClosedPhone).Text(r.Level).Bool(r.Blocked).Bool(r.BlockedOut)
}

// signedLogin returns the canonical form of what a customer's row has to prove the holder,
// and of what closed wallets of the number have spent. It is stored in signatures and in
// the log, so it never changes.
func (r *Record) signedLogin() *signature.Record {
	optional := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return *t
	}
	return signature.NewRecord(signature.Login, r.ID).Text(r.PasswordHash).Bool(r.HasPIN).Bool(r.PINOwed).
		Time(optional(r.HoldUntil)).Time(optional(r.ResetAt)).
		Time(optional(r.SpentAt)).Int(int64(r.SpentDay)).Int(int64(r.SpentMonth))
}

// checkLogin returns fault.Unavailable if what proves the holder is not as it was signed:
// then nothing of the row proves that a request is the holder's.
func (cs *Customers) checkLogin(ctx context.Context, r *Record) error {
	return cs.db.Verify(ctx, r.signedLogin(), r.LoginMAC, r.LoginKeyID)
}

// checkLoginOf is checkLogin for a customer who was read with a session. It returns c
// with HasPIN as it was signed.
func (cs *Customers) checkLoginOf(ctx context.Context, op string, c Customer) (Customer, error) {
	r, err := cs.readByID(ctx, c.ID)
	if err == nil && r == nil {
		err = fault.New(fault.NotFound, op, "")
	}
	if err == nil {
		//mutant:drop ./web TestForgedPIN
		err = cs.checkLogin(ctx, r)
	}
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	c.HasPIN = r.HasPIN
	return c, nil
}

// changeLogin runs a change of what the login's signature of a customer covers, and signs
// the row as it is then; nil if change returns false or there is no such customer. It
// returns fault.Unavailable for a row that is not as it was signed, or not its newest state,
// as changeSigned does: the earlier one may have another password and no hold.
func changeLogin(ctx context.Context, tx *database.Tx, id int64, change func() (changed bool, err error)) (now *Record, err error) {
	before, err := lockRecord(tx, id)
	if err != nil || before == nil {
		return nil, err
	}
	//mutant:drop TestForgedLoginIsNotSigned
	//mutant:replace tx.VerifyNewest => tx.Verify TestEarlierLoginIsNotSignedAgain
	if err := tx.VerifyNewest(ctx, before.signedLogin(), before.LoginMAC, before.LoginKeyID); err != nil {
		return nil, err
	}
	if changed, err := change(); err != nil || !changed {
		return nil, err
	}
	if now, err = readByID(tx, id); err != nil {
		return nil, err
	}
	now.signLogin(tx)
	return now, updateLoginSignature(tx, now)
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
