package wallet

import (
	"context"
	"errors"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/limit"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
)

const opClose = "wallet.close"

// ClosingParts are the dependencies of Closing.
type ClosingParts struct {
	DB        *database.DB
	Ledger    *ledger.Ledger
	Notifier  *outbox.Notifier
	Customers *customer.Customers
}

// Closing closes wallets.
type Closing struct{ parts ClosingParts }

// NewClosing returns a Closing made of parts.
func NewClosing(parts ClosingParts) *Closing { return &Closing{parts} }

// Obstacles prevent the closing of a wallet.
type Obstacles struct {
	Balance money.Amount
	Open    int // payments whose outcome is not known yet
}

// Obstacles returns what prevents the closing of a customer's wallet now.
func (cl *Closing) Obstacles(ctx context.Context, c customer.Customer) (o Obstacles, err error) {
	if o.Balance, err = cl.parts.Ledger.Balance(ctx, c.ID); err != nil {
		return o, err
	}
	err = cl.parts.DB.ReadTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		_, o.Open, err = limit.AtClosing(tx, c)
		return err
	})
	return o, fault.Wrap(opClose, err)
}

// refusal returns the fault of the first obstacle, or nil. Open payments come
// first, because a refund changes the balance.
func (o Obstacles) refusal() error {
	switch {
	case o.Open > 0:
		return fault.New(fault.Conflict, opClose, "wallet.close_open").With("Open", o.Open)
	case o.Balance > 0:
		return fault.New(fault.Conflict, opClose, "wallet.close_balance").With("Balance", o.Balance)
	}
	return nil
}

// Close closes an empty wallet without open payments for good. The customer gives
// the password, and the PIN if there is one. The wallet is locked meanwhile: money
// that arrives at the same moment either comes first, and Close is refused, or is
// refused itself. Nothing in the ledger is deleted; sessions end; the number is
// free for a new wallet.
//
// Faults: Conflict "wallet.close_open" with {{.Open}} and "wallet.close_balance"
// with {{.Balance}}; those of customer.VerifyForClosing; Forbidden "wallet.close_ended"
// if all sessions were ended or the wallet was blocked meanwhile. After Unknown
// call again.
func (cl *Closing) Close(ctx context.Context, c customer.Customer, password, pin string) error {
	o, err := cl.Obstacles(ctx, c)
	if err == nil {
		err = o.refusal()
	}
	if err != nil {
		return err
	}
	if err := cl.parts.Customers.VerifyForClosing(ctx, c, password, pin); err != nil {
		return err
	}
	var refusal error
	err = cl.parts.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		refusal = cl.close(ctx, tx, c)
		return refusal
	})
	if refusal != nil && err != nil {
		_ = cl.parts.Customers.ReturnClosingPIN(context.WithoutCancel(ctx), c.ID) // it confirmed nothing
	}
	if err != nil {
		return fault.Wrap(opClose, err)
	}
	cl.parts.Notifier.Notify(sms.Queue)
	return nil
}

// close checks again while the wallet is locked, and closes it.
func (cl *Closing) close(ctx context.Context, tx *database.Tx, c customer.Customer) error {
	at, err := ledger.CloseWallet(tx, c.ID)
	var full *ledger.NotEmpty
	if errors.As(err, &full) {
		if full.Balance > 0 {
			return Obstacles{Balance: full.Balance}.refusal()
		}
		return ended() // another request has closed it
	}
	if err != nil {
		return err
	}
	spent, open, err := limit.AtClosing(tx, c)
	if err == nil {
		//mutant:replace open => 0 * open TestCloseChecksAgainUnderLock
		err = Obstacles{Open: open}.refusal()
	}
	if err != nil {
		return err
	}
	done, err := cl.parts.Customers.Close(ctx, tx, c, at, spent)
	if err == nil && !done {
		err = ended()
	}
	return err
}

func ended() error { return fault.New(fault.Forbidden, opClose, "wallet.close_ended") }
