package customer

import "elsom/internal/database"

// JoinedCustomer is a customer that another package's query reads together with its
// own rows, in one round trip: it selects JoinedColumns, adds JoinClause, and scans
// into ScanTargets.
type JoinedCustomer struct{ record Record }

// JoinedColumns are the columns to select. Of the password hash they contain only
// whether it is set.
const JoinedColumns = `c.id, c.phone, c.email, c.lang, CASE WHEN c.password_hash = '' THEN '' ELSE 'set' END, c.blocked, c.blocked_out, c.hold_until,
	c.session_epoch, c.level, c.created_at, c.name, c.registered, c.has_pin, c.pin_owed, c.closed_at, c.closed_phone,
	c.mac, c.key_id, c.spent_at, c.spent_day, c.spent_month, c.email_confirmed_at, c.notices`

// JoinClause returns the LEFT JOIN of customers by the column with their id.
func JoinClause(id string) string { return " LEFT JOIN customers c ON c.id = " + id }

// ScanTargets returns the destinations of JoinedColumns for Scan.
func (j *JoinedCustomer) ScanTargets() []any {
	r := &j.record
	return []any{
		database.ZeroIfNull(&r.ID), database.ZeroIfNull(&r.Phone), database.ZeroIfNull(&r.Email), database.ZeroIfNull(&r.Lang), database.ZeroIfNull(&r.PasswordHash),
		database.ZeroIfNull(&r.Blocked), database.ZeroIfNull(&r.BlockedOut), &r.HoldUntil, database.ZeroIfNull(&r.SessionEpoch), database.ZeroIfNull(&r.Level),
		database.ZeroIfNull(&r.CreatedAt), database.ZeroIfNull(&r.Name), database.ZeroIfNull(&r.Registered),
		database.ZeroIfNull(&r.HasPIN), database.ZeroIfNull(&r.PINOwed), &r.ClosedAt, database.ZeroIfNull(&r.ClosedPhone),
		&r.MAC, database.ZeroIfNull(&r.KeyID), &r.SpentAt, database.ZeroIfNull(&r.SpentDay), database.ZeroIfNull(&r.SpentMonth), &r.EmailConfirmedAt, database.ZeroIfNull(&r.Notices),
	}
}

// Customer returns the customer; its ID is 0 if the row has none.
func (j *JoinedCustomer) Customer() Customer { return j.record.Customer() }
