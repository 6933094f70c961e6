// Package settlement records money that moves at the bank: what agents pay for
// the cash that they took, and what billers are paid for completed payments.
//
// It guarantees that a reference is settled once for its party, with one sum;
// that no more is settled than is owed, even by concurrent settlements; and that
// the name of the person who recorded it is stored. It moves no money at the bank.
package settlement

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/operatorlog"
)

// PartyType is the type of the party that settles.
type PartyType string

// The types of parties.
const (
	Agent  PartyType = "agent"  // pays into the settlement account what its till owes
	Biller PartyType = "biller" // is paid from it what it is owed
)

// bank is the subject of the settlement account in the books.
const bank = "settlement"

// Order is a settlement to record.
type Order struct {
	PartyType PartyType
	Party     string // the agent's or biller's code
	Amount    money.Amount
	// Reference is the bank's number of the payment, up to 35 characters.
	Reference string
	// Staff is the name of the person who records it; Reason is an optional note.
	Staff, Reason string
}

// Receipt is a recorded settlement.
type Receipt struct {
	SettledAt time.Time
	// Owed is what is still owed after it.
	Owed money.Amount
	// Replayed reports that it had been recorded before; nothing was written now.
	Replayed bool
}

// Books is the part of the ledger that settlements use.
type Books interface {
	Post(ctx context.Context, p ledger.Posting) (ledger.Receipt, error)
	Find(ctx context.Context, kind ledger.AccountType, subject string) (int64, error)
	Account(ctx context.Context, kind ledger.AccountType, subject string) (int64, error)
	Balance(ctx context.Context, account int64) (money.Amount, error)
}

// Settlements records settlements.
type Settlements struct {
	db    *database.DB
	books Books
}

// New returns the service on db and its books.
func New(db *database.DB, books Books) *Settlements { return &Settlements{db, books} }

// Maximum lengths of texts in characters, and of a reference in bytes: it is
// part of the transfer's request key.
const (
	maxReference = 35
	maxBytes     = 70
	maxReason    = 300
)

func (o Order) normalized() (Order, error) {
	o.Reference, o.Reason = input.Name(o.Reference), input.Name(o.Reason)
	name, err := input.StaffName(o.Staff)
	var wrong []string
	if o.Amount <= 0 || o.Amount > money.Max {
		wrong = append(wrong, "the sum: above zero")
	}
	if !fits(o.Reference, 1, maxReference) || len(o.Reference) > maxBytes {
		wrong = append(wrong, fmt.Sprintf("the reference: 1 to %d characters", maxReference))
	}
	if o.Staff = name; err != nil {
		wrong = append(wrong, err.Error())
	}
	if !fits(o.Reason, 0, maxReason) {
		wrong = append(wrong, fmt.Sprintf("the reason: up to %d characters", maxReason))
	}
	if len(wrong) > 0 {
		return o, fault.New(fault.Invalid, op, "").Because(errors.New(strings.Join(wrong, "; ")))
	}
	return o, nil
}

func fits(s string, shortest, longest int) bool {
	n := utf8.RuneCountInString(s)
	return n >= shortest && n <= longest && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

const op = "settlement.settle"

// maxTries is how often a settlement is tried while others of the same party
// commit before it.
const maxTries = 5

// Settle records a settlement, once for its reference. Errors: Invalid (the
// cause says what, for the operator), NotFound (no such party), Insufficient
// (more than is owed), Conflict (the reference stands for another sum),
// Unavailable, Unknown (it may be recorded: settle again under the same
// reference).
func (s *Settlements) Settle(ctx context.Context, o Order) (Receipt, error) {
	o, err := o.normalized()
	if err != nil {
		return Receipt{}, err
	}
	account, err := s.account(ctx, o)
	if err != nil {
		return Receipt{}, err
	}
	for range maxTries {
		receipt, err := s.try(ctx, o, account)
		if !errors.Is(err, errOvertaken) {
			return receipt, fault.Wrap(op, err)
		}
	}
	return Receipt{}, fault.New(fault.Unavailable, op, "").Because(errOvertaken)
}

// account returns the party's account. One that was never opened owes and is
// owed nothing.
func (s *Settlements) account(ctx context.Context, o Order) (int64, error) {
	kind, missing := ledger.Till, "there is no agent %s"
	if o.PartyType == Biller {
		kind, missing = ledger.Payable, "no payment to a biller %s was ever completed"
	}
	id, err := s.books.Find(ctx, kind, o.Party)
	if fault.Is(err, fault.NotFound) {
		return 0, fault.New(fault.NotFound, op, "").Because(fmt.Errorf(missing, o.Party))
	}
	return id, fault.Wrap(op, err)
}

var errOvertaken = errors.New("another settlement of the same party was recorded at the same time")

func (s *Settlements) try(ctx context.Context, o Order, account int64) (Receipt, error) {
	// The number is read before the debt, which only settlements lower. A
	// settlement that commits in between takes the number, and this one is retried.
	//mutant:replace err := nextNumber(ctx, s.db, o) => err := s.db.NewID(), ctx.Err() ./cmd/elsom TestSettleConcurrently
	number, err := nextNumber(ctx, s.db, o)
	if err != nil {
		return Receipt{}, err
	}
	owed, err := s.owed(ctx, o, account)
	if err != nil {
		return Receipt{}, err
	}
	// Read behind the debt, which the same settlement may have lowered meanwhile.
	before, known, err := readSettlement(ctx, s.db, o)
	switch {
	case err != nil:
		return Receipt{}, err
	//mutant:drop ./cmd/elsom TestSettleAgent
	case known && before.Amount != o.Amount:
		return Receipt{}, fault.New(fault.Conflict, op, "").Because(fmt.Errorf(
			"%s %s has settled %s som under %q already; another payment needs a reference of its own", o.PartyType, o.Party, before.Amount, o.Reference))
	//mutant:replace known => known && o.Amount <= owed TestSettleTwiceAtOnce
	case known:
		number = before.Number
	//mutant:drop ./cmd/elsom TestSettleBiller
	case o.Amount > owed:
		return Receipt{}, fault.New(fault.Insufficient, op, "").Because(fmt.Errorf(
			"%s, and not %s som; nothing was recorded", owes(o, owed), o.Amount))
	}
	posting, err := s.posting(ctx, o, account, number)
	if err != nil {
		return Receipt{}, err
	}
	if !known {
		logged, err := operatorlog.Riders(ctx, operatorlog.Change{Subject: string(o.PartyType) + " " + o.Party,
			Before: map[string]any{"owed": owed}, After: map[string]any{"settled": o.Amount, "reference": o.Reference, "owed": owed - o.Amount}})
		if err != nil {
			return Receipt{}, err
		}
		posting.Riders = append(posting.Riders, logged...)
	}
	// A known settlement is posted again: the answer waits for its first commit.
	posted, err := s.books.Post(ctx, posting)
	if fault.Is(err, fault.Conflict) {
		return Receipt{}, errOvertaken
	}
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{SettledAt: posted.PostedAt, Replayed: posted.Replayed}
	receipt.Owed, err = s.owed(ctx, o, account)
	return receipt, err
}

func owes(o Order, owed money.Amount) string {
	if o.PartyType == Biller {
		return fmt.Sprintf("%s is owed %s som", o.Party, owed)
	}
	return fmt.Sprintf("%s owes %s som", o.Party, owed)
}

func (s *Settlements) owed(ctx context.Context, o Order, account int64) (money.Amount, error) {
	balance, err := s.books.Balance(ctx, account)
	if o.PartyType == Agent {
		balance = -balance
	}
	return balance, err
}

func (s *Settlements) posting(ctx context.Context, o Order, account int64, number int64) (ledger.Posting, error) {
	settlement, err := s.books.Account(ctx, ledger.Bank, bank)
	if err != nil {
		return ledger.Posting{}, err
	}
	key := fmt.Sprintf("settle:%s:%s:%s", o.PartyType, o.Party, o.Reference)
	id := s.db.NewID()
	riders, subject := []database.Rider{settlements.Row(row{id, o, number})}, ledger.Subject{Type: ledger.Settlement, ID: id}
	if o.PartyType == Agent {
		return ledger.Posting{Key: key, Op: "settle.agent", Subject: subject, Riders: riders, Entries: []ledger.Entry{
			{Account: account, Amount: o.Amount}, {Account: settlement, Amount: -o.Amount},
		}}, nil
	}
	// Account makes the ledger treat the balance as striped.
	if account, err = s.books.Account(ctx, ledger.Payable, o.Party); err != nil {
		return ledger.Posting{}, err
	}
	return ledger.Posting{Key: key, Op: "settle.biller", Subject: subject, Riders: riders, Entries: []ledger.Entry{
		{Account: account, Amount: -o.Amount}, {Account: settlement, Amount: o.Amount},
	}}, nil
}
