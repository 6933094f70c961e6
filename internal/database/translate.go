package database

import (
	"errors"

	"gorm.io/gorm"

	"elsom/internal/fault"
)

// translateErrors makes GORM return fault.Unavailable and fault.Unknown.
func translateErrors(db *DB) error {
	t := translator{db.gorm.Dialector, db}
	db.gorm.Dialector = t
	// The one kind of statement whose errors GORM doesn't translate itself.
	return db.gorm.Callback().Row().After("gorm:row").Register("database:errors", func(g *gorm.DB) {
		if g.Error != nil {
			g.Error = t.Translate(g.Error)
		}
	})
}

// translator is a dialector that translates errors for GORM.
type translator struct {
	gorm.Dialector
	db *DB
}

// Translate implements gorm.ErrorTranslator.
func (t translator) Translate(err error) error {
	var before notRun
	if inner, ok := t.Dialector.(gorm.ErrorTranslator); ok && errors.As(err, &before) {
		err = notRun{inner.Translate(before.error)}
	} else if ok {
		err = inner.Translate(err)
	}
	switch {
	case err == nil || isFault(err):
		return err
	case errors.Is(err, errNotReplicated):
		return fault.New(fault.Unknown, "database", "").Because(err)
	}
	if !(unavailable(err) || t.db.closed.Load()) {
		return err
	}
	return fault.New(fault.Unavailable, "database", "").Because(err)
}

// Explain returns a statement without its values: GORM calls it for each
// statement and drops the result, and values must not be logged.
func (translator) Explain(statement string, _ ...any) string { return statement }
