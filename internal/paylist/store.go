package paylist

import (
	"context"
	"encoding/json"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

const listTable = "payment_lists"

type listRow struct {
	ID, CustomerID int64
	Service        string
	State          State
	MadeAt         time.Time
	ExpiresAt      time.Time
	ConfirmedBy    string
	SessionKey     string
	Epoch          int64
}

type lineRow struct {
	Line       int
	Account    string
	Sum        string
	State      LineState
	Identifier string
	Payee      string
	Amount     money.Amount
	Fee        money.Amount
	DraftID    int64
	Reason     string
	ReasonArgs string
}

// read returns a list with its lines; nil if there is none.
func (ls *Lists) read(ctx context.Context, id int64) (*List, error) {
	g := ls.parts.DB.Gorm(ctx)
	var lists []listRow
	err := g.Raw(`SELECT id, customer_id, service, state, made_at, expires_at, confirmed_by, session_key, epoch
		FROM payment_lists WHERE id = ?`, id).Scan(&lists).Error
	if err != nil || len(lists) == 0 {
		return nil, err
	}
	r := lists[0]
	l := &List{CustomerID: r.CustomerID, Service: r.Service, State: r.State, SessionKey: r.SessionKey, Epoch: r.Epoch}
	l.ID, l.Channel, l.MadeAt, l.ExpiresAt, l.ConfirmedBy = r.ID, customer.Web, r.MadeAt.UTC(), r.ExpiresAt.UTC(), r.ConfirmedBy
	var rows []lineRow
	err = g.Raw(`SELECT line, account, sum, state, identifier, payee, amount, fee, draft_id, reason, reason_args
		FROM payment_list_lines WHERE list_id = ? ORDER BY line`, id).Scan(&rows).Error
	for _, r := range rows {
		l.Lines = append(l.Lines, r.line())
	}
	return l, err
}

func (r lineRow) line() Line {
	l := Line{
		Line: r.Line, Typed: Typed{Account: r.Account, Sum: r.Sum}, State: r.State, Identifier: r.Identifier, Payee: r.Payee,
		Amount: r.Amount, Fee: r.Fee, DraftID: r.DraftID, Reason: fault.Reason(r.Reason),
	}
	args := map[string]string{}
	if json.Unmarshal([]byte(r.ReasonArgs), &args) == nil && len(args) > 0 {
		l.Args = map[string]any{}
		for name, text := range args {
			l.Args[name] = text
		}
	}
	return l
}

// argsOf returns the arguments of a reason as stored: as they are shown.
func argsOf(args map[string]any) string {
	texts := map[string]string{}
	for name, value := range args {
		texts[name] = shown(value)
	}
	encoded, err := json.Marshal(texts)
	if err != nil || len(texts) == 0 {
		return ""
	}
	return string(encoded)
}

func insert(tx *database.Tx, l List) error {
	err := tx.Gorm().Exec(`INSERT INTO payment_lists (id, customer_id, service, state, line_count, made_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		l.ID, l.CustomerID, l.Service, l.State, len(l.Lines), l.MadeAt, l.ExpiresAt).Error
	for _, one := range l.Lines {
		if err != nil {
			return err
		}
		err = tx.Gorm().Exec(`INSERT INTO payment_list_lines (list_id, line, account, sum, state, reason, reason_args) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			l.ID, one.Line, one.Account, one.Sum, one.State, string(one.Reason), argsOf(one.Args)).Error
	}
	return err
}

// updateLine stores the state of a line that is as before; another worker may have stored it.
func updateLine(tx *database.Tx, list int64, before LineState, l Line) error {
	return tx.Gorm().Exec(`UPDATE payment_list_lines SET state = ?, identifier = ?, payee = ?, amount = ?, fee = ?, draft_id = ?, reason = ?, reason_args = ?
		WHERE list_id = ? AND line = ? AND state = ?`,
		l.State, l.Identifier, l.Payee, l.Amount, l.Fee, l.DraftID, string(l.Reason), argsOf(l.Args), list, l.Line, before).Error
}

func updateState(tx *database.Tx, list int64, from, to State) error {
	return tx.Gorm().Exec("UPDATE payment_lists SET state = ? WHERE id = ? AND state = ?", to, list, from).Error
}

func updateAccepted(tx *database.Tx, l List) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE payment_lists SET state = ?, confirmed_by = ?, session_key = ?, epoch = ?, accepted_at = ? WHERE id = ? AND state = ?`,
		Paying, l.ConfirmedBy, l.SessionKey, l.Epoch, tx.Now(), l.ID, Ready)
	return result.RowsAffected == 1, result.Error
}

func (ls *Lists) purge(ctx context.Context, expired, paid time.Time) (all int64, err error) {
	for old, args := range map[string][]any{
		// In the range of a partial index, and in the first part of the primary key.
		`SELECT id FROM payment_lists WHERE accepted_at IS NULL AND id < ? AND expires_at < ?`: {database.FirstID(expired), database.StoredTime(expired)},
		`SELECT id FROM payment_lists WHERE state = 'done' AND id < ? AND accepted_at < ?`:     {database.FirstID(paid), database.StoredTime(paid)},
	} {
		_, err := ls.parts.DB.Purge(ctx, `DELETE FROM payment_list_lines WHERE (list_id, line) IN
			(SELECT list_id, line FROM payment_list_lines WHERE list_id IN (`+old+`) LIMIT ?)`, args...)
		if err != nil {
			return all, err
		}
		n, err := ls.parts.DB.Purge(ctx, `DELETE FROM payment_lists WHERE id IN (`+old+` LIMIT ?)`, args...)
		if all += n; err != nil {
			return all, err
		}
	}
	return all, nil
}
