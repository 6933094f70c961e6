package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"elsom/internal/audit"
	"elsom/internal/catalog"
	"elsom/internal/database"
)

type migrateCommand struct{}

// Run migrates and puts the first catalogue in.
func (migrateCommand) Run(ctx context.Context) error {
	db, err := openDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	fmt.Println("The schema is current.")
	return nil
}

func migrate(ctx context.Context, db *database.DB) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return catalog.New(db, catalog.Options{}).Seed(ctx)
}

type auditCommand struct {
	Since moment `help:"Look only at what was posted since: a time as 2026-11-22T00:00:00Z, or how long ago, as 24h."`
}

// Help tells an operator what --since leaves out.
func (auditCommand) Help() string {
	return "What --since proves, and what it does not:\n\n" + audit.SinceProves
}

// moment is a time that has passed; zero where none was given.
type moment struct{ time.Time }

// UnmarshalText reads a time, or how long ago it was.
func (m *moment) UnmarshalText(text []byte) error {
	now := time.Now()
	if ago, err := time.ParseDuration(string(text)); err == nil {
		m.Time = now.Add(-ago)
	} else if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return errors.New("want a time as 2026-11-22T00:00:00Z, or how long ago, as 24h")
	}
	if m.After(now) {
		return errors.New("that moment is yet to come")
	}
	return nil
}

// violated is an audit that was made, and what it found.
type violated int64

func (v violated) Error() string { return fmt.Sprintf("audit: %d violations", int64(v)) }

// Run proves the books. The exit code tells violations from an audit that could
// not be made.
func (a auditCommand) Run(ctx context.Context) error {
	err := a.prove(ctx)
	if errors.As(err, new(violated)) || err == nil {
		return err
	}
	//mutant:replace coded{err, exitNotTried} => err TestAuditEndsWith
	return coded{err, exitNotTried}
}

func (a auditCommand) prove(ctx context.Context) error {
	return withDatabase(ctx, func(db *database.DB) error {
		prove := audit.Run
		if !a.Since.IsZero() {
			prove = func(ctx context.Context, db *database.DB) (audit.Result, error) {
				return audit.RunSince(ctx, db, a.Since.Time)
			}
		}
		audit, err := prove(ctx, db)
		if err != nil {
			return err
		}
		printed := audit.Print(os.Stdout)
		//mutant:replace if !audit => if printed == nil && !audit ./internal/e2e TestCommandsNobodyReads
		if !audit.OK() { // also when the output is closed
			return violated(audit.ViolationCount())
		}
		return printed
	})
}
