package history

import (
	"context"
	"math"
	"strings"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/money"
)

// maxID is larger than every id.
const maxID = math.MaxInt64

// window is a part of an account's entries: between two transfers, from either end.
type window struct {
	account, after, before int64
	newest                 bool // the newest first, else the oldest
	limit                  int
}

// row is an entry with its operation.
type row struct {
	Operation
	paidAt time.Time // of a refund: when its payment was posted
}

// entryRow is a row as it is read.
type entryRow struct {
	transfer, subject                              int64
	act, subjectKind                               string
	amount, fee                                    money.Amount
	at, paidAt                                     time.Time
	service, identifier, payee, code, state, agent string
	sender, receiver, senderPhone, receiverPhone   string
}

// paidKey is the request key of the payment's transfer that a refund gives back. It has an
// index, the subject has none. A refund that an earlier release posted may have no subject.
const paidKey = `CASE WHEN t.subject_kind = 'payment' THEN 'payment:' || CAST(t.subject_id AS VARCHAR) || ':accept'
	ELSE REPLACE(t.request_key, ':end', ':accept') END`

// rows returns the rows of a window.
func (h *History) rows(ctx context.Context, w window) ([]row, error) {
	return readRows(h.db.Gorm(ctx), w)
}

// rowsInTx returns the rows of a window as a transaction sees them.
func rowsInTx(tx *database.Tx, w window) ([]row, error) { return readRows(tx.Gorm(), w) }

// readRows returns the rows of a window. A wallet has one entry in a transfer.
func readRows(g *gorm.DB, w window) ([]row, error) {
	order := "transfer_id"
	if w.newest {
		order = "transfer_id DESC"
	}
	rows, err := database.ScanAll(g.Raw(`SELECT e.transfer_id, t.act, t.subject_kind, t.subject_id, e.amount, t.posted_at, o.posted_at,
			p.service, p.identifier, p.payee, p.code, p.state, p.fee, c.agent, s.sender, s.receiver, s.sender_phone, s.receiver_phone
		FROM (SELECT transfer_id, amount FROM entries WHERE account_id = ? AND transfer_id > ? AND transfer_id < ? ORDER BY `+order+` LIMIT ?) e
		JOIN transfers t ON t.id = e.transfer_id
		LEFT JOIN transfers o ON t.act = 'payment.refund' AND o.request_key = `+paidKey+`
		LEFT JOIN payments p ON t.subject_kind = 'payment' AND p.id = t.subject_id
		LEFT JOIN cash_ins c ON t.subject_kind = 'cash_in' AND c.id = t.subject_id
		LEFT JOIN wallet_transfers s ON t.act = 'wallet.transfer' AND s.id = t.subject_id
		ORDER BY e.`+order, w.account, w.after, w.before, w.limit), func(r *entryRow) []any {
		return []any{
			&r.transfer, &r.act, database.ZeroIfNull(&r.subjectKind), database.ZeroIfNull(&r.subject), &r.amount, &r.at, database.ZeroIfNull(&r.paidAt),
			database.ZeroIfNull(&r.service), database.ZeroIfNull(&r.identifier), database.ZeroIfNull(&r.payee), database.ZeroIfNull(&r.code),
			database.ZeroIfNull(&r.state), zeroAmount(&r.fee), database.ZeroIfNull(&r.agent),
			database.ZeroIfNull(&r.sender), database.ZeroIfNull(&r.receiver), database.ZeroIfNull(&r.senderPhone), database.ZeroIfNull(&r.receiverPhone),
		}
	})
	list := make([]row, len(rows))
	for i, r := range rows {
		list[i] = row{r.operation(), r.paidAt}
	}
	return list, err
}

func zeroAmount(to *money.Amount) any { return database.ZeroIfNull((*int64)(to)) }

// operation returns the operation of an entry.
func (r entryRow) operation() Operation {
	o := Operation{
		ID: r.transfer, Kind: Other, State: Completed, Amount: r.amount, At: r.at,
		Service: r.service, Identifier: r.identifier, Payee: r.payee, Code: r.code, Agent: r.agent,
	}
	switch {
	case r.act == "payment.accept":
		o.Kind, o.State = Payment, State(r.state)
		o.PaymentID, o.Fee = r.subject, r.fee
	case r.act == "payment.refund":
		o.Kind, o.PaymentID = Refund, r.subject
	case r.act == "cashin.pay_in":
		o.Kind = CashIn
	case r.act == "wallet.transfer" && r.amount > 0:
		o.Kind, o.TransferID, o.Party, o.PartyPhone = Received, r.subject, r.sender, r.senderPhone
	case r.act == "wallet.transfer":
		o.Kind, o.TransferID, o.Party, o.PartyPhone = Sent, r.subject, r.receiver, r.receiverPhone
	}
	return o
}

// mark is the transfer up to which a wallet's days are summed up, with the balance after
// it and the number of entries. opening is the balance before a period, up to the mark.
type mark struct {
	transfer         int64
	balance, opening money.Amount
	entries          int64
}

// readSums returns a wallet's mark and the sums of its days from first to last, in one
// statement, so that they are of one moment. The last end of a day before first is the opening
// balance.
func (h *History) readSums(ctx context.Context, account, first, last int64) (mark, cells, error) {
	type dayRow struct {
		transfer, day, operations, amount int64
		kind, service                     string
	}
	rows, err := database.ScanAll(h.db.Gorm(ctx).Raw(`SELECT m.transfer_id, d.day, d.kind, d.service, d.operations, d.amount
		FROM history_marks m LEFT JOIN history_days d ON d.account_id = m.account_id AND d.day <= ? AND
			d.day >= COALESCE((SELECT MAX(b.day) FROM history_days b WHERE b.account_id = ? AND b.day < ? AND b.kind = 'end'), ?)
		WHERE m.account_id = ?`, last, account, first, first, account), func(r *dayRow) []any {
		return []any{
			&r.transfer, database.ZeroIfNull(&r.day), database.ZeroIfNull(&r.kind), database.ZeroIfNull(&r.service),
			database.ZeroIfNull(&r.operations), database.ZeroIfNull(&r.amount),
		}
	})
	m, found := mark{}, cells{}
	for _, r := range rows {
		m.transfer = r.transfer
		switch {
		case r.day >= first:
			found[key{r.day, r.kind, r.service}] = cell{int(r.operations), money.Amount(r.amount)}
		case r.kind == kindEnd:
			m.opening = money.Amount(r.amount)
		}
	}
	return m, found, err
}

// lockMark returns a wallet's mark, which no other transaction moves until this one ends.
func lockMark(tx *database.Tx, account int64) (m mark, err error) {
	g := tx.Gorm()
	if err := g.Exec("INSERT INTO history_marks (account_id, transfer_id, balance, entries) VALUES (?, 0, 0, 0) ON CONFLICT (account_id) DO NOTHING", account).Error; err != nil {
		return m, err
	}
	err = g.Raw("SELECT transfer_id, balance, entries FROM history_marks WHERE account_id = ?"+tx.ForUpdate(), account).Row().Scan(&m.transfer, (*int64)(&m.balance), &m.entries)
	return m, err
}

func updateMark(tx *database.Tx, account int64, m mark) error {
	return tx.Gorm().Exec("UPDATE history_marks SET transfer_id = ?, balance = ?, entries = ? WHERE account_id = ?", m.transfer, int64(m.balance), m.entries, account).Error
}

// addDays adds sums to those of a wallet's days.
func addDays(tx *database.Tx, account int64, changed cells) error {
	return putDays(tx, account, changed, "operations = history_days.operations + excluded.operations, amount = history_days.amount + excluded.amount")
}

// setDays replaces sums of a wallet's days.
func setDays(tx *database.Tx, account int64, changed cells) error {
	return putDays(tx, account, changed, "amount = excluded.amount")
}

// putDays writes sums, at most 500 in a statement: SQLite bounds their parameters.
func putDays(tx *database.Tx, account int64, changed cells, update string) error {
	var args []any
	put := func() error {
		if len(args) == 0 {
			return nil
		}
		values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?), ", len(args)/6), ", ")
		err := tx.Gorm().Exec("INSERT INTO history_days (account_id, day, kind, service, operations, amount) VALUES "+values+
			" ON CONFLICT (account_id, day, kind, service) DO UPDATE SET "+update, args...).Error
		args = nil
		return err
	}
	for k, c := range changed {
		args = append(args, account, k.day, k.kind, k.service, c.operations, int64(c.amount))
		if len(args) == 6*500 {
			if err := put(); err != nil {
				return err
			}
		}
	}
	return put()
}
