package credential

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// row is a stored caller with the columns of its realm's details.
type row[Details any] struct {
	Code         string `gorm:"primaryKey"`
	Name         string
	PasswordHash string
	PasswordMAC  string `gorm:"column:password_mac"`
	Allowed      string
	Disabled     bool
	CreatedAt    time.Time
	Details      Details `gorm:"embedded"`
}

// SignedCaller is implemented by details (a pointer to them) of a realm whose rows are
// signed. Details then have the row's columns mac and key_id.
type SignedCaller interface {
	// Record returns the canonical form of the row.
	Record(SignedColumns) *signature.Record
	// SignedColumns returns the columns of the details that it covers and that change.
	SignedColumns() []string
	// Signature returns pointers to the row's mac and key_id.
	Signature() (mac *[]byte, keyID *string)
}

// SignedColumns are the columns of a caller that a signature covers, besides those of
// its details.
type SignedColumns struct {
	Code, Name, PasswordHash, Allowed string
	Disabled                          bool
}

func (r *row[D]) signed() (record *signature.Record, mac *[]byte, keyID *string) {
	details, ok := any(&r.Details).(SignedCaller)
	if !ok {
		return nil, nil, nil
	}
	mac, keyID = details.Signature()
	return details.Record(SignedColumns{r.Code, r.Name, r.PasswordHash, r.Allowed, r.Disabled}), mac, keyID
}

// sign signs the row as it is, for a transaction that writes it.
func (r *row[D]) sign(tx *database.Tx) {
	if record, mac, keyID := r.signed(); record != nil {
		*mac, *keyID = tx.Sign(record)
	}
}

// checkSigned returns fault.Unavailable for a row that is not as it was signed.
func (r *row[D]) checkSigned(ctx context.Context, db *database.DB) error {
	record, mac, keyID := r.signed()
	if record == nil {
		return nil
	}
	return db.Verify(ctx, record, *mac, *keyID)
}

// verifyNewest is checkSigned for a row that is locked and about to be signed again.
func (r *row[D]) verifyNewest(ctx context.Context, tx *database.Tx) error {
	record, mac, keyID := r.signed()
	if record == nil {
		return nil
	}
	return tx.VerifyNewest(ctx, record, *mac, *keyID)
}

func (r row[D]) entry() Entry[D] {
	allowed, ok := readAllowed(r.Allowed)
	return Entry[D]{
		Code: r.Code, Name: r.Name, Allowed: allowed, Disabled: r.Disabled || !ok, Unreadable: !ok,
		CreatedAt: r.CreatedAt.UTC(), Details: r.Details,
	}
}

// errTaken reports that the code of a new caller is taken.
var errTaken = errors.New("credential: the code is taken")

// insert inserts a caller. It returns errTaken if the code is taken: the transaction
// must not commit then, since the record for the log is of a row that isn't stored.
func (r *Register[D]) insert(tx *database.Tx, n New[D], hash, mac string) error {
	fresh := &row[D]{
		Code: n.Code, Name: n.Name, PasswordHash: hash, PasswordMAC: mac, Allowed: writeAllowed(n.Allowed),
		CreatedAt: tx.Now(), Details: n.Details,
	}
	fresh.sign(tx)
	result := tx.Gorm().Table(r.realm.Table).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoNothing: true}).Create(fresh)
	if result.Error == nil && result.RowsAffected == 0 {
		return errTaken
	}
	return result.Error
}

// read returns the row of a code, or the zero row for an unknown code.
func (r *Register[D]) read(ctx context.Context, code string) (row[D], error) {
	return r.readWith(r.db.Gorm(ctx), code)
}

// readIn is read in a transaction.
func (r *Register[D]) readIn(tx *database.Tx, code string) (row[D], error) {
	return r.readWith(tx.Gorm(), code)
}

func (r *Register[D]) readWith(g *gorm.DB, code string) (found row[D], err error) {
	err = g.Table(r.realm.Table).Where("code = ?", code).Limit(1).Find(&found).Error
	return found, err
}

func (r *Register[D]) readAll(ctx context.Context) (rows []row[D], err error) {
	err = r.db.Gorm(ctx).Table(r.realm.Table).Order("code").Find(&rows).Error
	return rows, err
}

// updateSigned sets columns of a row, signs it, and returns it as it was and as it is
// then; the zero row for an unknown code. A row that is not as it was signed, or not its newest state, must
// get new values in all columns: its new signature would otherwise cover what was forged.
func (r *Register[D]) updateSigned(ctx context.Context, tx *database.Tx, code string, set map[string]any) (before, now row[D], err error) {
	if before, err = r.lock(tx, code); err != nil || before.Code == "" {
		return before, now, err
	}
	//mutant:drop ./internal/cashin TestForgedAgentIsNotSigned
	if err := before.verifyNewest(ctx, tx); err != nil && !before.replacedBy(set) {
		return before, now, err
	}
	if err := r.updateColumns(tx, code, set); err != nil {
		return before, now, err
	}
	if now, err = r.readIn(tx, code); err != nil {
		return before, now, err
	}
	now.sign(tx)
	if record, mac, keyID := now.signed(); record != nil {
		err = r.updateColumns(tx, code, map[string]any{"mac": *mac, "key_id": *keyID})
	}
	return before, now, err
}

// replacedBy reports whether a change sets all columns of a signed row that ever change,
// but whether it is disabled.
func (r *row[D]) replacedBy(set map[string]any) bool {
	details, signed := any(&r.Details).(SignedCaller)
	if !signed {
		return true
	}
	for _, column := range append([]string{"name", "password_hash", "allowed"}, details.SignedColumns()...) {
		if _, there := set[column]; !there {
			return false
		}
	}
	return true
}

// lock returns the row of a code, which no other transaction changes until the end of
// this one; the zero row for an unknown code.
func (r *Register[D]) lock(tx *database.Tx, code string) (row[D], error) {
	return r.readWith(tx.Gorm().Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}), code)
}

func (r *Register[D]) updateColumns(tx *database.Tx, code string, set map[string]any) error {
	return tx.Gorm().Table(r.realm.Table).Where("code = ?", code).Updates(set).Error
}

// writeMAC stores the keyed hash of a right password, unless the password was
// changed meanwhile.
func (r *Register[D]) writeMAC(ctx context.Context, code, hash, mac string) error {
	return r.db.Gorm(ctx).Table(r.realm.Table).Where("code = ? AND password_hash = ?", code, hash).
		Updates(map[string]any{"password_mac": mac}).Error
}
