package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/money"
)

// Entry moves an amount into an account (positive) or out of it (negative).
type Entry struct {
	Account int64
	Amount  money.Amount
	// Ceiling, if above zero, is the highest balance that the transfer may leave
	// on the account. Only for accounts with a floor.
	Ceiling money.Amount
	// LimitUse, if not nil, makes the entry count toward transaction limits.
	LimitUse *LimitUse
}

// SubjectType names the table that a transfer's subject is a row of.
type SubjectType string

// The types of subjects.
const (
	Payment        SubjectType = "payment"
	CashIn         SubjectType = "cash_in"
	WalletTransfer SubjectType = "wallet_transfer"
	Settlement     SubjectType = "settlement"
)

// Subject is what a transfer is about: a row of another package's table, such as
// a payment. The zero value means none, as in corrections.
type Subject struct {
	Type SubjectType
	ID   int64
}

// Posting is a request for one transfer.
type Posting struct {
	// Key identifies the request for good: the same key with the same content
	// returns the first receipt; with other content it is a conflict.
	Key string
	// Hash is further content to compare when Key is used again; may be empty.
	Hash string
	// Op is the operation, such as "payment.accept".
	Op string
	// Subject is what the transfer is about; it is not compared when Key is used
	// again.
	Subject Subject
	// Entries sum to zero; none is zero, and none exceeds money.Max in absolute
	// value.
	Entries []Entry
	// Corrects is the transfer that this one corrects; 0: none.
	Corrects int64
	// Riders are rows of other packages that commit with the transfer or not at
	// all.
	Riders []database.Rider
}

// Receipt identifies a posted transfer.
type Receipt struct {
	Transfer int64
	PostedAt time.Time
	// Replayed reports that the transfer had been posted before; nothing was
	// written now.
	Replayed bool
}

// BelowFloor is the cause of fault.Insufficient.
type BelowFloor struct {
	Account int64
	Balance money.Amount // before the refused transfer
}

func (e *BelowFloor) Error() string {
	return fmt.Sprintf("account %d would fall below its floor", e.Account)
}

// AboveCeiling is the cause of fault.Limit from an entry's Ceiling.
type AboveCeiling struct {
	Account int64
	Balance money.Amount // before the refused transfer
}

func (e *AboveCeiling) Error() string {
	return fmt.Sprintf("account %d would rise above its ceiling", e.Account)
}

// OverLimit is the cause of fault.Limit from the Limits of a debit.
type OverLimit struct {
	Account int64
	Month   bool         // the limit of the month, not that of the day
	Left    money.Amount // of the limit, before the refused transfer; never below 0
}

func (e *OverLimit) Error() string {
	return fmt.Sprintf("account %d would spend more than its limit", e.Account)
}

// Closed is the cause of fault.Forbidden for a transfer of a closed account.
type Closed struct{ Account int64 }

func (e *Closed) Error() string { return fmt.Sprintf("account %d is closed", e.Account) }

func (p Posting) check() error {
	switch {
	case p.Key == "" || len(p.Key) > MaxKey || p.Op == "" || len(p.Op) > MaxOp:
		return fmt.Errorf("a posting needs a key of up to %d bytes and an operation of up to %d", MaxKey, MaxOp)
	case len(p.Entries) < 2 || len(p.Entries) > MaxEntries:
		return fmt.Errorf("a posting has 2 to %d entries, not %d", MaxEntries, len(p.Entries))
	}
	amounts := make([]money.Amount, len(p.Entries))
	for i, e := range p.Entries {
		// The bound keeps the sums of a batch far from overflowing.
		//mutant:replace || e.Amount > money.Max || e.Amount < -money.Max => TestMalformedPostingsAreRefused
		if e.Amount == 0 || e.Amount > money.Max || e.Amount < -money.Max {
			return fmt.Errorf("entry %d is zero or too large", i)
		}
		if err := e.LimitUse.check(e.Amount); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		amounts[i] = e.Amount
	}
	//mutant:replace ok || sum => ok && sum TestMalformedPostingsAreRefused
	if sum, ok := money.Sum(amounts...); !ok || sum != 0 {
		return fmt.Errorf("the entries sum to %d", sum)
	}
	return nil
}

// hash returns a hash of the content that is compared when the key is used again.
func (p Posting) hash() string {
	b := strconv.AppendQuote(make([]byte, 0, 256), p.Op)
	b = strconv.AppendInt(append(b, ' '), p.Corrects, 10)
	b = append(strconv.AppendQuote(append(b, ' '), p.Hash), '\n')
	for _, e := range p.Entries {
		b = strconv.AppendInt(b, e.Account, 10)
		b = append(strconv.AppendInt(append(b, ' '), int64(e.Amount), 10), '\n')
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
