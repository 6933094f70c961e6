package ledger

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// AccountType is an account's place in the chart of accounts. A credit is
// positive: what we owe is a positive balance, what we are owed a negative one.
type AccountType string

// The chart of accounts.
const (
	Wallet  AccountType = "wallet"  // a customer's money; the account's id is the customer's
	Till    AccountType = "till"    // what a cash-in agent owes us; its floor is minus the agent's ceiling
	Transit AccountType = "transit" // accepted payments of a biller that have not ended; amount and fee
	Payable AccountType = "payable" // what we owe a biller for completed payments
	Fees    AccountType = "fees"    // earned fees
	Bank    AccountType = "bank"    // the settlement account
	Claims  AccountType = "claims"  // payments that a biller booked after we had refunded them
	Losses  AccountType = "losses"  // claims written off
)

// Account is an account to be opened.
type Account struct {
	ID      int64 // 0: Open assigns one
	Type    AccountType
	Subject string        // the owner: unique within the type
	Floor   *money.Amount // the lowest balance allowed; nil: none
}

// NotEmpty is the cause of fault.Conflict from CloseWallet.
type NotEmpty struct {
	Account int64
	Balance money.Amount
}

func (e *NotEmpty) Error() string { return fmt.Sprintf("account %d can't be closed", e.Account) }

// Open opens an account in the caller's transaction and sets its ID.
func Open(tx *database.Tx, account *Account) error {
	if account.ID == 0 {
		account.ID = tx.NewID()
	}
	return fault.Wrap("ledger.open", insertAccount(tx, *account))
}

// SetFloor changes an account's floor in the caller's transaction. A floor above
// the balance is fault.Insufficient with the cause *BelowFloor; an account
// without a floor is database.ErrRowCount.
func SetFloor(tx *database.Tx, account int64, floor money.Amount) error {
	const op = "ledger.floor"
	locked, err := lockAccounts(tx, []int64{account})
	if err != nil {
		return fault.Wrap(op, err)
	}
	//mutant:drop ./cmd/elsom TestSettleAgent
	if now, known := locked[account]; known && now.Balance < floor {
		return fault.New(fault.Insufficient, op, "").Because(&BelowFloor{account, now.Balance})
	}
	return fault.Wrap(op, updateFloor(tx, account, floor))
}

// CloseWallet closes an empty wallet in the caller's transaction and returns the
// time of closing, after which it has no transfers. It locks the account, so it
// waits for transfers in progress. It returns fault.Conflict with the cause
// *NotEmpty if the account is not empty, is closed, or does not exist.
func CloseWallet(tx *database.Tx, wallet int64) (time.Time, error) {
	const op = "ledger.close"
	locked, err := lockAccounts(tx, []int64{wallet})
	if err != nil {
		return time.Time{}, fault.Wrap(op, err)
	}
	at := tx.Now()
	// The clock of another process may be ahead of ours.
	if last, err := lastPosted(tx, wallet); err != nil {
		return time.Time{}, fault.Wrap(op, err)
	} else if last != nil && last.After(at) {
		at = last.UTC()
	}
	closed, err := closeAccount(tx, wallet, at)
	if err == nil && !closed {
		err = fault.New(fault.Conflict, op, "").Because(&NotEmpty{wallet, locked[wallet].Balance})
	}
	return at, fault.Wrap(op, err)
}

type accountName struct {
	accountType AccountType
	subject     string
}

// knownAccount is an account's id, valid in one generation of the database: after
// a failover the new primary may not have the account.
type knownAccount struct{ id, generation int64 }

// Account returns the id of an account that usually has no floor (a biller's,
// fees, …) and opens it without one if it does not exist.
func (l *Ledger) Account(ctx context.Context, accountType AccountType, subject string) (int64, error) {
	name, generation := accountName{accountType, subject}, l.db.Generation()
	if found, ok := l.accounts.Load(name); ok && found.(knownAccount).generation == generation {
		return found.(knownAccount).id, nil
	}
	account, err := ensureAccount(ctx, l.db, name)
	if err != nil {
		return 0, fault.Wrap("ledger.account", err)
	}
	l.accounts.Store(name, knownAccount{account.ID, generation})
	// An operator may have set a floor: the balance is then in one row.
	//mutant:replace !account.Floored => true TestFloorOfStripedAccount
	if !account.Floored {
		l.striped.Store(account.ID, true)
	}
	return account.ID, nil
}

// Find returns the id of an account; NotFound if there is none.
func (l *Ledger) Find(ctx context.Context, accountType AccountType, subject string) (int64, error) {
	return findAccount(ctx, l.db, accountName{accountType, subject})
}

// isStriped reports whether postings add to the account's stripes: true for
// accounts without a floor that Account returned in this process. All others are
// updated in their row of accounts.
func (l *Ledger) isStriped(account int64) bool {
	_, is := l.striped.Load(account)
	return is
}

// Balance returns an account's balance; NotFound if there is no such account.
func (l *Ledger) Balance(ctx context.Context, account int64) (money.Amount, error) {
	return readBalance(ctx, l.db, account)
}
