// Package origin describes the tables whose rows are signed as data: which columns a
// signature covers, in which order. With it `elsom audit` recomputes the signatures of
// all rows, `elsom key baseline` signs earlier rows, and the log compares its leaves
// with the rows.
//
// The packages that write the rows build the same records from their own types: the
// audit of what they wrote fails if the two differ.
package origin

import (
	"time"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// Table is a table whose rows are signed. It has the columns mac and key_id, with its Prefix.
type Table struct {
	Kind signature.Kind
	Name string
	// ID is the column of the record's id: unique, a number.
	ID string
	// Prefix precedes the names of the columns mac and key_id, for a second signature of
	// a table.
	Prefix string
	// Fields are what a record has after its id, in this order.
	Fields []Field
	// Lines are rows of another table that the signature covers; nil: none.
	Lines *Lines
	// Age says which rows are new since a moment.
	Age Age
	// Mutable rows are signed again after a change.
	Mutable bool
	// Optional signatures are missing where the writer had no key; such a row is no
	// violation, and a baseline leaves it as it is.
	Optional bool
	// AlwaysSigned rows are written by programs with the key only: one without a signature
	// is a violation also while others are permitted, and a baseline leaves it as it is.
	AlwaysSigned bool
}

// Field is a column, which is Absent in the record where it is NULL.
type Field struct {
	Column string
	Type   Type
}

// Type is the type of a field in the record.
type Type int

// The types.
const (
	Text Type = iota
	Int
	Bool
	Time
)

// Lines are the rows of a table that belong to a signed row. Their number follows the
// fields, then the columns of each.
type Lines struct {
	Name    string
	Of      string   // the column with the id of the signed row
	Columns []string // numbers; the first orders the lines
}

// Age is how the rows of a table that are new since a moment are found.
type Age int

const (
	// ByID means that ids grow with time.
	ByID Age = iota
	// ByEarlyID means that ids grow, but a row may be written up to a day after it got
	// its id.
	ByEarlyID
	// Few means that the table is small: all rows are read.
	Few
	// ByNothing means that they are not found, and the table may be large.
	ByNothing
)

// early is how long before it is written a row with ByEarlyID may have got its id.
const early = 24 * time.Hour

// FirstSince returns the id after which Read finds the rows that are new since a
// moment, and whether there is one. The zero time finds all rows.
func (t Table) FirstSince(since time.Time) (after int64, ok bool) {
	switch {
	case since.IsZero() || t.Age == Few:
		return -1, true
	case t.Age == ByID:
		return database.FirstID(since) - 1, true
	case t.Age == ByEarlyID:
		return database.FirstID(since.Add(-early)) - 1, true
	}
	return 0, false
}

// Tables are all tables whose rows are signed.
var Tables = []Table{
	{
		Kind: signature.Transfer, Name: "transfers", ID: "id",
		Fields: []Field{
			{"request_key", Text}, {"request_hash", Text}, {"act", Text}, {"corrects", Int},
			{"subject_kind", Text}, {"subject_id", Int}, {"posted_at", Time},
		},
		Lines: &Lines{Name: "entries", Of: "transfer_id", Columns: []string{"line", "account_id", "amount"}},
	},
	{
		Kind: signature.Payment, Name: "payments", ID: "id", Age: ByEarlyID,
		Fields: []Field{
			{"customer_id", Int}, {"service", Text}, {"biller", Text}, {"identifier", Text}, {"payee", Text},
			{"amount", Int}, {"fee", Int}, {"txn_id", Text}, {"code", Text}, {"channel", Text}, {"accepted_at", Time},
		},
	},
	{
		Kind: signature.CashIn, Name: "cash_ins", ID: "id", Age: ByEarlyID,
		Fields: []Field{
			{"agent", Text}, {"txn_id", Text}, {"txn_date", Text}, {"account", Text}, {"sum", Int}, {"result", Int},
			{"customer_id", Int}, {"received_at", Time},
		},
	},
	{
		Kind: signature.WalletTransfer, Name: "wallet_transfers", ID: "id", Age: ByEarlyID,
		// Without the names, which may be erased.
		Fields: []Field{
			{"sender_id", Int}, {"receiver_id", Int}, {"sender_phone", Text}, {"receiver_phone", Text},
			{"amount", Int}, {"channel", Text}, {"accepted_at", Time},
		},
	},
	{
		Kind: signature.Decision, Name: "payment_decisions", ID: "id", Age: Few,
		Fields: []Field{{"payment_id", Int}, {"staff", Text}, {"decision", Text}, {"reason", Text}, {"evidence", Text}, {"made_at", Time}},
	},
	{
		Kind: signature.Claim, Name: "payment_claims", ID: "payment_id", Age: Few,
		Fields: []Field{{"reference", Text}, {"made_at", Time}},
	},
	{
		Kind: signature.Settlement, Name: "settlements", ID: "id", Age: Few,
		Fields: []Field{
			{"kind", Text}, {"party", Text}, {"number", Int}, {"reference", Text}, {"amount", Int}, {"staff", Text}, {"reason", Text},
			{"settled_at", Time},
		},
	},
	{
		Kind: signature.Agent, Name: "agents", ID: "till_id", Age: Few, Mutable: true,
		Fields: []Field{{"code", Text}, {"name", Text}, {"password_hash", Text}, {"allowed", Text}, {"ceiling", Int}, {"disabled", Bool}},
	},
	{
		Kind: signature.Catalog, Name: "catalog_versions", ID: "version", Age: Few,
		Fields: []Field{{"content", Text}, {"put_at", Time}, {"staff", Text}, {"os_user", Text}, {"origin", Text}, {"restored_from", Int}},
	},
	{
		Kind: signature.Customer, Name: "customers", ID: "id", Age: ByNothing, Mutable: true,
		Fields: []Field{{"phone", Text}, {"closed_phone", Text}, {"level", Text}, {"blocked", Bool}, {"blocked_out", Bool}},
	},
	{
		Kind: signature.SigningStart, Name: "signing_starts", ID: "id", Age: Few, AlwaysSigned: true,
		Fields: []Field{{"started_at", Time}, {"origin", Text}},
	},
	{
		Kind: signature.Operation, Name: "operator_log", ID: "id", Optional: true,
		Fields: []Field{
			{"done_at", Time}, {"command", Text}, {"os_user", Text}, {"staff", Text}, {"reason", Text}, {"subject", Text},
			{"state_before", Text}, {"state_after", Text},
		},
	},
	{
		Kind: signature.Attempt, Name: "payment_attempts", ID: "id", Mutable: true,
		Fields: []Field{
			{"payment_id", Int}, {"number", Int}, {"biller", Text}, {"started_at", Time},
			{"ended_at", Time}, {"outcome", Text}, {"result", Int}, {"reference", Text}, {"remark", Text},
		},
	},
	{
		Kind: signature.Gateway, Name: "gateways", ID: "id", Age: Few, Mutable: true,
		Fields: []Field{{"code", Text}, {"name", Text}, {"password_hash", Text}, {"allowed", Text}, {"scopes", Text}, {"inputs", Text}, {"disabled", Bool}},
	},
	{
		Kind: signature.Login, Name: "customers", ID: "id", Prefix: "login_", Age: ByNothing, Mutable: true,
		Fields: []Field{
			{"password_hash", Text}, {"has_pin", Bool}, {"pin_owed", Bool}, {"hold_until", Time}, {"reset_at", Time},
			{"spent_at", Time}, {"spent_day", Int}, {"spent_month", Int},
		},
	},
}

// Label names the rows by their table, and a second signature by its prefix.
func (t Table) Label() string { return t.Prefix + t.Name }

// Of returns the table of a kind, and whether there is one.
func Of(kind signature.Kind) (Table, bool) {
	for _, t := range Tables {
		if t.Kind == kind {
			return t, true
		}
	}
	return Table{}, false
}

// Row is a signed row as it is stored.
type Row struct {
	Record *signature.Record
	MAC    []byte // nil: not signed
	KeyID  string
}
