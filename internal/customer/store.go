package customer

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/phone"
)

// Record is a row of customers. It is exported for the sessions, which read
// the customer together with the session.
type Record struct {
	ID           int64
	Phone        string
	Email        string
	Lang         string
	PasswordHash string
	Blocked      bool
	BlockedOut   bool
	HoldUntil    *time.Time
	SessionEpoch int64
	Level        string
	CreatedAt    time.Time
	Name         string
	INN          string `gorm:"column:inn"`
	Registered   Channel
	HasPIN       bool `gorm:"column:has_pin"`
	PINOwed      bool `gorm:"column:pin_owed"`
	// ResetAt is when the password was last set by SMS code.
	ResetAt *time.Time
	// ClosedAt is when the wallet was closed. ClosedPhone is its number at that
	// time; Phone is then a placeholder.
	ClosedAt    *time.Time
	ClosedPhone string
	// EmailConfirmedAt is when the customer confirmed Email; nil: not yet. The database
	// clears it when Email changes.
	EmailConfirmedAt *time.Time
	Notices          Notices
	// What closed wallets of the number had sent on the day and in the month of
	// SpentAt.
	SpentAt    *time.Time
	SpentDay   money.Amount
	SpentMonth money.Amount
	// MAC and KeyID sign the row; see sign.
	MAC   []byte `gorm:"column:mac"`
	KeyID string
	// LoginMAC and LoginKeyID are a second signature; see signLogin.
	LoginMAC   []byte `gorm:"column:login_mac"`
	LoginKeyID string `gorm:"column:login_key_id"`
}

// TableName names the table for GORM.
func (Record) TableName() string { return "customers" }

// Customer returns the row without the columns that are used inside this package
// only.
func (r *Record) Customer() Customer {
	c := Customer{
		ID: r.ID, Phone: phone.Number(r.Phone), Email: r.Email, Lang: r.Lang, HasPassword: r.PasswordHash != "",
		Name: r.Name, Registered: r.Registered, HasPIN: r.HasPIN, PINOwed: r.PINOwed,
		Blocked: r.Blocked, BlockedOut: r.BlockedOut, SessionEpoch: r.SessionEpoch, Level: r.Level, CreatedAt: r.CreatedAt.UTC(),
	}
	if r.HoldUntil != nil {
		c.HoldUntil = r.HoldUntil.UTC()
	}
	if r.ClosedAt != nil {
		c.Closed, c.Phone = true, phone.Number(r.ClosedPhone)
	}
	c.EmailConfirmed, c.Notices = r.EmailConfirmedAt != nil, r.Notices
	c.mac, c.keyID = string(r.MAC), r.KeyID
	if r.SpentAt != nil {
		c.spentAt, c.spent = r.SpentAt.UTC(), Spent{r.SpentDay, r.SpentMonth}
	}
	return c
}

func (cs *Customers) readByID(ctx context.Context, id int64) (*Record, error) {
	return first(cs.db.Gorm(ctx).Where("id = ?", id))
}

func readByIDs(ctx context.Context, db *database.DB, ids []int64) ([]Customer, error) {
	var rows []Record
	these, list := database.InList(db.Dialect(), ids)
	err := db.Gorm(ctx).Where("id "+these, list).Find(&rows).Error
	customers := make([]Customer, len(rows))
	for i := range rows {
		customers[i] = rows[i].Customer()
	}
	return customers, err
}

func (cs *Customers) readByPhone(ctx context.Context, number phone.Number) (*Record, error) {
	return findByPhone(ctx, cs.db, number)
}

// callerRow is a customer looked up by the calling number.
type callerRow struct {
	JoinedCustomer
	unusedPIN bool
}

func (cs *Customers) readCallers(ctx context.Context, numbers []phone.Number) ([]*callerRow, error) {
	these, list := database.InList(cs.db.Dialect(), numbers)
	rows, err := database.ScanAll(cs.db.Gorm(ctx).Raw(`SELECT `+JoinedColumns+`, EXISTS (SELECT 1 FROM pins WHERE customer_id = c.id AND issued AND used_for = '')
		FROM customers c WHERE c.phone `+these, list), func(r *callerRow) []any { return append(r.ScanTargets(), &r.unusedPIN) })
	return database.AlignRows(numbers, rows, func(r callerRow) phone.Number { return phone.Number(r.record.Phone) }), err
}

func readByID(tx *database.Tx, id int64) (*Record, error) {
	r, err := first(tx.Gorm().Where("id = ?", id))
	if err == nil && r == nil {
		err = gorm.ErrRecordNotFound
	}
	return r, err
}

func readByPhone(tx *database.Tx, number string) (*Record, error) {
	return first(tx.Gorm().Where("phone = ?", number))
}

// findByPhone returns the customer with a number, or nil.
func findByPhone(ctx context.Context, db *database.DB, number phone.Number) (*Record, error) {
	return first(db.Gorm(ctx).Where("phone = ?", number))
}

// first returns the first row of a query, or nil if there is none.
func first(query *gorm.DB) (*Record, error) {
	var rows []Record
	if err := query.Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// isDuplicate reports whether a row with the same unique key exists.
func isDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// Insert signs and inserts a customer. It is exported for tests, which open wallets
// without registering.
func (r *Record) Insert(tx *database.Tx) error {
	r.sign(tx)
	return tx.Gorm().Create(r).Error
}

// updateSignature signs a customer as the transaction has changed it.
func updateSignature(tx *database.Tx, r *Record) error {
	r.signRegistration(tx)
	return tx.Gorm().Exec("UPDATE customers SET mac = ?, key_id = ? WHERE id = ?", r.MAC, r.KeyID, r.ID).Error
}

func updateLoginSignature(tx *database.Tx, r *Record) error {
	return tx.Gorm().Exec("UPDATE customers SET login_mac = ?, login_key_id = ? WHERE id = ?", r.LoginMAC, r.LoginKeyID, r.ID).Error
}

// updateOne runs an update of a customer in changeLogin. It returns nil if no row has
// changed.
func updateOne(ctx context.Context, tx *database.Tx, id int64, statement string, args ...any) (*Record, error) {
	return changeLogin(ctx, tx, id, func() (bool, error) {
		result := tx.Gorm().Exec(statement, args...)
		return result.RowsAffected == 1, result.Error
	})
}

// addSiteLogin adds a login on the site to a wallet that was opened by *900#. A
// wallet with a PIN gets PINOwed, one without is put on hold. It returns nil if the
// wallet has a login already.
func addSiteLogin(ctx context.Context, tx *database.Tx, id int64, c *confirmation, hold time.Time) (*Record, error) {
	//mutant:replace pin_owed = has_pin, => pin_owed = FALSE, TestSignupAddsLoginToUSSDWallet
	return updateOne(ctx, tx, id, `UPDATE customers SET email = ?, lang = ?, password_hash = ?,
			session_epoch = session_epoch + 1, pin_owed = has_pin,
			hold_until = CASE WHEN has_pin THEN hold_until ELSE ? END
		WHERE id = ? AND password_hash = ''`, c.Email, c.Lang, c.PasswordHash, hold, id)
}

// one returns the only row of a query, or nil if there is none.
func one(query *gorm.DB) (*Record, error) {
	var rows []Record
	if err := query.Scan(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// setPassword replaces a password and ends all sessions. It returns nil if the
// password was changed meanwhile.
func setPassword(ctx context.Context, tx *database.Tx, id int64, from, to string) (*Record, error) {
	return updateOne(ctx, tx, id, `UPDATE customers SET password_hash = ?, session_epoch = session_epoch + 1
		WHERE id = ? AND password_hash = ?`, to, id, from)
}

// resetPassword replaces a password after an SMS code. A wallet with a PIN gets
// PINOwed, one without is put on hold. It returns nil if the password was changed
// meanwhile.
func resetPassword(ctx context.Context, tx *database.Tx, id int64, from, to string, now, hold time.Time) (*Record, error) {
	//mutant:replace session_epoch = session_epoch + 1, => TestReset
	//mutant:replace pin_owed = has_pin, => pin_owed = FALSE, TestResetSetsPINOwed
	return updateOne(ctx, tx, id, `UPDATE customers SET password_hash = ?, session_epoch = session_epoch + 1,
			reset_at = ?, pin_owed = has_pin, hold_until = CASE WHEN has_pin THEN hold_until ELSE ? END
		WHERE id = ? AND password_hash = ?`, to, now, hold, id, from)
}

// rehash replaces a hash by one of the same password with the current parameters.
func (cs *Customers) rehash(ctx context.Context, id int64, from, to string) error {
	return cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := updateOne(ctx, tx, id, `UPDATE customers SET password_hash = ? WHERE id = ? AND password_hash = ?`, to, id, from)
		return err
	})
}

func (cs *Customers) storeLanguage(ctx context.Context, id int64, lang string) (rows int64, err error) {
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result := tx.Gorm().Exec(`UPDATE customers SET lang = ? WHERE id = ?`, lang, id)
		rows = result.RowsAffected
		return result.Error
	})
	return rows, err
}

// lockRecord returns a customer, locked until the transaction ends; nil for an
// unknown id.
func lockRecord(tx *database.Tx, id int64) (*Record, error) {
	return one(tx.Gorm().Raw("SELECT "+database.ColumnsOf[Record]()+" FROM customers WHERE id = ?"+tx.ForUpdate(), id))
}

// storeBlocks stores a customer's blocks and, if end is true, ends all sessions.
func storeBlocks(tx *database.Tx, id int64, b blocks, end bool) error {
	//mutant:replace + CASE WHEN ? THEN 1 ELSE 0 END => + CASE WHEN ? THEN 0 ELSE 0 END TestLogIn
	return tx.Gorm().Exec(`UPDATE customers SET blocked = ?, blocked_out = ?, session_epoch = session_epoch + CASE WHEN ? THEN 1 ELSE 0 END
		WHERE id = ?`, b.All, b.Out, end, id).Error
}

func storeLevel(tx *database.Tx, id int64, level string) error {
	return tx.Gorm().Exec(`UPDATE customers SET level = ? WHERE id = ?`, level, id).Error
}

func endSessions(tx *database.Tx, id int64) error {
	return tx.Gorm().Exec(`UPDATE customers SET session_epoch = session_epoch + 1 WHERE id = ?`, id).Error
}

func insertAcceptance(tx *database.Tx, id int64, a Acceptance) error {
	return tx.Gorm().Exec(`INSERT INTO offer_acceptances (customer_id, version, accepted_at, address, channel)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (customer_id, version) DO NOTHING`,
		id, a.Version, a.At, a.Address, a.Channel).Error
}

func (cs *Customers) acceptances(ctx context.Context, id int64) ([]Acceptance, error) {
	var list []Acceptance
	err := cs.db.Gorm(ctx).Raw(`SELECT version, accepted_at AS at, address, channel FROM offer_acceptances
		WHERE customer_id = ? ORDER BY accepted_at`, id).Scan(&list).Error
	return list, err
}

// seenOrigins returns those of the hashes under which a customer has logged in, or a
// browser is known, since then.
func (cs *Customers) seenOrigins(ctx context.Context, id int64, hashes []string, since time.Time) (seen []string, err error) {
	err = cs.db.Gorm(ctx).Raw(`SELECT address FROM familiar_addresses WHERE customer_id = ? AND address IN ? AND seen_at > ?`,
		id, hashes, since).Scan(&seen).Error
	return seen, err
}

// hasOrigin reports whether there is a row of one of the hashes.
func hasOrigin(tx *database.Tx, id int64, hashes []string) (bool, error) {
	var n int64
	err := tx.Gorm().Raw(`SELECT COUNT(*) FROM familiar_addresses WHERE customer_id = ? AND address IN ?`, id, hashes).Scan(&n).Error
	return n > 0, err
}

// upsertOrigin stores that an origin was used, by its hash.
func upsertOrigin(tx *database.Tx, id int64, hash string, now time.Time) error {
	return tx.Gorm().Exec(`INSERT INTO familiar_addresses (customer_id, address, seen_at) VALUES (?, ?, ?)
		ON CONFLICT (customer_id, address) DO UPDATE SET seen_at = excluded.seen_at`, id, hash, now).Error
}

func (cs *Customers) purge(ctx context.Context, now time.Time) (int64, error) {
	// The outer conditions keep rows that were renewed since the subquery read them.
	old := now.Add(-codeHistory)
	codes, err := cs.db.Purge(ctx, `DELETE FROM confirmations WHERE expires_at < ? AND (session_key, purpose) IN
		(SELECT session_key, purpose FROM confirmations WHERE expires_at < ? LIMIT ?)`, old, old)
	if err != nil {
		return codes, err
	}
	for _, purge := range []func(context.Context, time.Time) (int64, error){cs.purgeOperationCodes, cs.purgeEmailCodes} {
		n, err := purge(ctx, old)
		codes += n
		if err != nil {
			return codes, err
		}
	}
	old = now.Add(-familiarFor)
	addresses, err := cs.db.Purge(ctx, `DELETE FROM familiar_addresses WHERE seen_at < ? AND (customer_id, address) IN
		(SELECT customer_id, address FROM familiar_addresses WHERE seen_at < ? LIMIT ?)`, old, old)
	return codes + addresses, err
}

// setEmail changes an address. It reports false if the address or the password was
// changed meanwhile.
func setEmail(tx *database.Tx, id int64, passwordHash, from, to string) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE customers SET email = ? WHERE id = ? AND email = ? AND password_hash = ?`, to, id, from, passwordHash)
	return result.RowsAffected == 1, result.Error
}

// IDByPhone returns the id of the customer with a number; zero if there is none. It
// needs no key, so commands can use it that have none.
func IDByPhone(ctx context.Context, db *database.DB, number phone.Number) (id int64, err error) {
	err = db.Gorm(ctx).Raw("SELECT id FROM customers WHERE phone = ?", number.String()).Scan(&id).Error
	return id, fault.Wrap("customer.id_by_phone", err)
}
