package database

import (
	"time"

	"gorm.io/gorm"

	"elsom/internal/signature"
)

// permissionLife is how long a permission for unsigned rows is not read again.
const permissionLife = time.Second

// Permission has whether a database permits rows without a signature, and until when. The tables are
// part of the schema, but of no package's.
type Permission struct {
	// Open reports that unsigned_allowed has its row: the database was in use before rows
	// were signed, and they are not signed yet.
	Open bool
	// Ended is when the first record that ended the permission was signed; zero if there
	// is none. It counts whatever Open says. Without keys any record counts.
	Ended time.Time
	// Flooded reports that signing_starts has more than maxStarts rows and that none of the
	// first ones is such a record. Then unsigned rows are not permitted.
	Flooded bool
}

// Allowed reports whether rows without a signature are permitted.
//
//mutant:replace p.Open && p.Ended.IsZero() => p.Open ./internal/audit TestPermissionDoesNotComeBack
//mutant:replace && !p.Flooded => TestFloodedStartsEndThePermission
func (p Permission) Allowed() bool { return p.Open && p.Ended.IsZero() && !p.Flooded }

// signingStart is a row of signing_starts.
type signingStart struct {
	ID        int64
	StartedAt time.Time
	Origin    string
	MAC       []byte `gorm:"column:mac"`
	KeyID     string
}

func (s signingStart) record() *signature.Record {
	return signature.NewRecord(signature.SigningStart, s.ID).Time(s.StartedAt).Text(s.Origin)
}

// maxStarts is the number of rows of signing_starts that are verified at most, which takes
// some 10 ms. There are one or two, unless others were added by hand. More of them end the
// permission: they could hide the record that ended it.
const maxStarts = 10_000

// Permission reads what the database says about rows without a signature.
func (tx *Tx) Permission() (p Permission, err error) {
	if err := tx.gorm.Raw("SELECT EXISTS (SELECT 1 FROM unsigned_allowed)").Row().Scan(&p.Open); err != nil {
		return p, err
	}
	starts, err := tx.signingStarts()
	if err != nil {
		return p, err
	}
	for _, s := range starts[:min(len(starts), maxStarts)] {
		//mutant:replace tx.db.keys.Verify(s.record(), s.MAC, s.KeyID) == nil => true TestForgedEndOfThePermission
		if tx.db.keys == nil || tx.db.keys.Verify(s.record(), s.MAC, s.KeyID) == nil {
			p.Ended = s.StartedAt.UTC()
			return p, nil
		}
	}
	p.Flooded = len(starts) > maxStarts
	return p, nil
}

// signingStarts returns the first rows of signing_starts, one more than are verified.
func (tx *Tx) signingStarts() (starts []signingStart, err error) {
	err = tx.gorm.Raw("SELECT id, started_at, origin, mac, key_id FROM signing_starts ORDER BY id LIMIT ?", maxStarts+1).Scan(&starts).Error
	return starts, err
}

// UnsignedAllowed reports whether rows without a signature are permitted. Once they are
// not, they never are again until the process ends: otherwise the owner of the tables
// could make forged rows pass by a row in unsigned_allowed.
func (tx *Tx) UnsignedAllowed() (bool, error) {
	if tx.db.enforced || tx.db.required.Load() {
		return false, nil
	}
	p, err := tx.Permission()
	if err != nil {
		return false, err
	}
	allowed := p.Allowed()
	//mutant:drop TestUnsignedRows
	tx.db.required.Store(!allowed)
	return allowed, nil
}

// unsignedAllowed is Tx.UnsignedAllowed, up to permissionLife ago.
func (db *DB) unsignedAllowed(g *gorm.DB) (bool, error) {
	now := time.Now().UnixNano()
	if !db.enforced && !db.required.Load() && now-db.permitted.Load() < int64(permissionLife) {
		return true, nil
	}
	allowed, err := (&Tx{db: db, gorm: g}).UnsignedAllowed()
	if allowed {
		db.permitted.Store(now)
	}
	return allowed, err
}

// The origins of a record that ends the permission.
const (
	StartBaseline = "baseline" // earlier rows were signed
	StartNew      = "new"      // there were none
)

// RequireSignatures stores a signed record that every row must be signed from now on.
func (tx *Tx) RequireSignatures(origin string) error {
	s := signingStart{ID: tx.NewID(), StartedAt: tx.Now(), Origin: origin}
	s.MAC, s.KeyID = tx.Sign(s.record())
	return tx.gorm.Exec("INSERT INTO signing_starts (id, started_at, origin, mac, key_id) VALUES (?, ?, ?, ?, ?)",
		s.ID, s.StartedAt, s.Origin, s.MAC, s.KeyID).Error
}

// signsFrom is the oldest version of the schema whose release signs rows and drafts, and
// reads signing_starts.
const signsFrom = 80

// SetPermission permits unsigned rows, or ends the permission: then releases that don't
// sign can't start any more. It needs the role that owns the tables.
func (tx *Tx) SetPermission(open bool) error {
	if open {
		return tx.gorm.Exec("INSERT INTO unsigned_allowed (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM unsigned_allowed)").Error
	}
	if err := tx.gorm.Exec("DELETE FROM unsigned_allowed").Error; err != nil {
		return err
	}
	//mutant:drop ./internal/audit TestBaselineEndsThePreviousRelease
	if err := tx.gorm.Exec("UPDATE schema_compatibility SET serves_from = ? WHERE serves_from < ?", signsFrom, signsFrom).Error; err != nil {
		return err
	}
	return tx.RequireSignatures(StartBaseline)
}
