package customer

import (
	"context"
	"time"

	"elsom/internal/database"
)

// pinRow is a row of pins.
type pinRow struct {
	CustomerID int64
	PINHash    string `gorm:"column:pin_hash"`
	// PepperID identifies the pepper; empty: an earlier release stored the PIN.
	PepperID    string
	Version     int64
	Issued      bool
	UsedFor     string
	Tries       int64
	Locks       int64
	LockedUntil *time.Time
	SetAt       time.Time
}

// TableName names the table for GORM.
func (pinRow) TableName() string { return "pins" }

func (cs *Customers) readPIN(ctx context.Context, id int64) (row *pinRow, found bool, err error) {
	return readPIN(ctx, cs.db, id)
}

func readPIN(ctx context.Context, db *database.DB, id int64) (row *pinRow, found bool, err error) {
	var rows []pinRow
	err = db.Gorm(ctx).Where("customer_id = ?", id).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	return &rows[0], true, nil
}

// countPINAttempt counts an attempt at a PIN and returns the row after it. counted is
// false if there is no PIN or it is locked. It commits before the PIN is compared, so
// that attempts over all channels and processes are counted together. The fifth
// attempt locks at once; acceptPIN removes the lock if the PIN was right.
func (cs *Customers) countPINAttempt(ctx context.Context, id int64, now time.Time) (row *pinRow, counted bool, err error) {
	var rows []pinRow
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		rows = nil
		//mutant:replace OR locked_until => OR set_at TestPINHasFiveAttemptsOverAllChannels
		//mutant:replace PINFirstLock => PINNextLock TestNextPINLockIsLonger
		//mutant:replace PINNextLock => PINFirstLock TestNextPINLockIsLonger
		//mutant:replace tries + 1 => tries TestPINHasFiveAttemptsOverAllChannels
		//mutant:replace locks = 0 THEN ? WHEN tries = ? => locks < 0 THEN ? WHEN tries = ? - 100 TestNextPINLockIsLonger
		return tx.Gorm().Raw(`UPDATE pins SET
				tries = CASE WHEN tries >= ? THEN 1 ELSE tries + 1 END,
				locks = CASE WHEN tries = ? THEN locks + 1 ELSE locks END,
				locked_until = CASE WHEN tries = ? AND locks = 0 THEN ? WHEN tries = ? THEN ? ELSE locked_until END
			WHERE customer_id = ? AND (locked_until IS NULL OR locked_until <= ?)
			RETURNING `+database.ColumnsOf[pinRow](), pinTries, pinTries-1,
			pinTries-1, now.Add(PINFirstLock), pinTries-1, now.Add(PINNextLock), id, now).Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	return &rows[0], true, nil
}

// uncountPINAttempt reverses an attempt that was not compared.
func (cs *Customers) uncountPINAttempt(ctx context.Context, id int64) error {
	return cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE pins SET tries = tries - 1,
				locks = CASE WHEN tries = ? THEN locks - 1 ELSE locks END,
				locked_until = CASE WHEN tries = ? THEN NULL ELSE locked_until END
			WHERE customer_id = ? AND tries > 0`, pinTries, pinTries, id).Error
	})
}

// stillLocked reports whether the PIN is still locked by an attempt.
func stillLocked(tx *database.Tx, row *pinRow) (bool, error) {
	var n int64
	err := tx.Gorm().Raw(`SELECT COUNT(*) FROM pins WHERE customer_id = ? AND tries = ? AND locks = ? AND pin_hash = ?`,
		row.CustomerID, pinTries, row.Locks, row.PINHash).Scan(&n).Error
	return n > 0, err
}

// clearTries resets attempts and lock of a PIN that was right. It reports false if
// the PIN was changed meanwhile.
func clearTries(tx *database.Tx, row *pinRow) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE pins SET tries = 0, locks = 0, locked_until = NULL
		WHERE customer_id = ? AND pin_hash = ?`, row.CustomerID, row.PINHash)
	return result.RowsAffected == 1, result.Error
}

// clearTriesOfRenewed is clearTries for a PIN that another request stored anew
// meanwhile: the hash differs, set_at doesn't.
func clearTriesOfRenewed(tx *database.Tx, row *pinRow) (bool, error) {
	var now []pinRow
	err := tx.Gorm().Where("customer_id = ?", row.CustomerID).Limit(1).Find(&now).Error
	//mutant:replace !now[0].SetAt.Equal(row.SetAt) => false TestPINIsHashedAnewWhileItIsUsed
	if err != nil || len(now) == 0 || !now[0].SetAt.Equal(row.SetAt) {
		return false, err
	}
	row.PINHash, row.PepperID = now[0].PINHash, now[0].PepperID
	return clearTries(tx, row)
}

// usePIN marks an issued PIN as used for a key. It returns false if it was used for
// another key.
func usePIN(tx *database.Tx, row *pinRow, key string) (bool, error) {
	//mutant:replace used_for = '' => issued TestIssuedPINConfirmsOnce
	result := tx.Gorm().Exec(`UPDATE pins SET used_for = ?
		WHERE customer_id = ? AND pin_hash = ? AND (used_for = '' OR used_for = ?)`, key, row.CustomerID, row.PINHash, key)
	return result.RowsAffected == 1, result.Error
}

func (cs *Customers) releasePIN(ctx context.Context, id int64, key string) error {
	return cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE pins SET used_for = '' WHERE customer_id = ? AND issued AND used_for = ?`, id, key).Error
	})
}

// insertPIN stores a customer's first PIN. It reports false if there is one.
func insertPIN(tx *database.Tx, row *pinRow) (bool, error) {
	//mutant:replace NOTHING => UPDATE SET pin_hash = excluded.pin_hash TestSetPIN
	result := tx.Gorm().Exec(`INSERT INTO pins (customer_id, pin_hash, pepper_id, version, issued, used_for, tries, locks, set_at)
		VALUES (?, ?, ?, ?, ?, '', 0, 0, ?) ON CONFLICT (customer_id) DO NOTHING`,
		row.CustomerID, row.PINHash, row.PepperID, row.Version, row.Issued, row.SetAt)
	return result.RowsAffected == 1, result.Error
}

// storeHasPIN stores that a wallet has got its first PIN.
func storeHasPIN(ctx context.Context, tx *database.Tx, id int64) error {
	_, err := updateOne(ctx, tx, id, `UPDATE customers SET has_pin = ? WHERE id = ?`, true, id)
	return err
}

// replacePIN replaces a PIN. It reports false if the PIN was changed meanwhile.
func replacePIN(tx *database.Tx, before *pinRow, hash, pepperID string, issued bool, now time.Time) (bool, error) {
	//mutant:replace AND pin_hash = ? => AND pin_hash <> ? TestConcurrentPINChanges
	result := tx.Gorm().Exec(`UPDATE pins SET pin_hash = ?, pepper_id = ?, version = ?, issued = ?, used_for = '',
			tries = 0, locks = 0, locked_until = NULL, set_at = ?
		WHERE customer_id = ? AND pin_hash = ?`, hash, pepperID, pinVersion, issued, now, before.CustomerID, before.PINHash)
	return result.RowsAffected == 1, result.Error
}

// reissuePIN replaces an issued PIN that has confirmed nothing; attempts and locks
// stay.
func reissuePIN(tx *database.Tx, before *pinRow, hash, pepperID string, now time.Time) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE pins SET pin_hash = ?, pepper_id = ?, version = ?, set_at = ?
		WHERE customer_id = ? AND pin_hash = ? AND issued AND used_for = ''`,
		hash, pepperID, pinVersion, now, before.CustomerID, before.PINHash)
	return result.RowsAffected == 1, result.Error
}

// rehashPIN stores another hash of the same PIN, unless the PIN was changed meanwhile.
// set_at stays: it identifies the PIN.
func (cs *Customers) rehashPIN(ctx context.Context, before *pinRow, hash, pepperID string) error {
	return cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`UPDATE pins SET pin_hash = ?, pepper_id = ?, version = ? WHERE customer_id = ? AND pin_hash = ?`,
			hash, pepperID, pinVersion, before.CustomerID, before.PINHash).Error
	})
}

// countPINsOfOther returns the number of PINs hashed with another pepper.
func (cs *Customers) countPINsOfOther(ctx context.Context, pepperID string) (n int64, err error) {
	err = cs.db.Gorm(ctx).Raw("SELECT COUNT(*) FROM pins WHERE pepper_id <> ?", pepperID).Scan(&n).Error
	return n, err
}

// resetTries resets the attempts and the lock, and keeps the PIN. The number of
// locks, which makes the next one longer, is reset only if locks is true. It returns
// false if there is no PIN.
func resetTries(tx *database.Tx, id int64, locks bool) (bool, error) {
	result := tx.Gorm().Exec(`UPDATE pins SET tries = 0, locked_until = NULL,
		locks = CASE WHEN ? THEN 0 ELSE locks END WHERE customer_id = ?`, locks, id)
	return result.RowsAffected == 1, result.Error
}

// clearPINOwed clears pin_owed if the session epoch is unchanged. If a reset has set
// it again meanwhile, the epoch differs.
func clearPINOwed(ctx context.Context, tx *database.Tx, id, epoch int64) error {
	//mutant:replace AND session_epoch = ? => AND 0 <> ? TestResetSetsPINOwed
	_, err := updateOne(ctx, tx, id, `UPDATE customers SET pin_owed = ? WHERE id = ? AND session_epoch = ? AND pin_owed`, false, id, epoch)
	return err
}

// insertStaffAct stores an action of staff; the table is append-only.
func insertStaffAct(tx *database.Tx, id int64, action string, by StaffAction) error {
	return tx.Gorm().Exec(`INSERT INTO staff_acts (id, done_at, staff, act, customer_id, reason) VALUES (?, ?, ?, ?, ?, ?)`,
		tx.NewID(), tx.Now(), by.Staff, action, id, by.Reason).Error
}
