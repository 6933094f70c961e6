package main

import (
	"context"
	"fmt"
	"os"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/report"
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

type auditCommand struct{}

// Run proves the books; the exit code tells whether all holds.
func (auditCommand) Run(ctx context.Context) error {
	return withDatabase(ctx, func(db *database.DB) error {
		audit, err := report.Audit(ctx, db)
		if err != nil {
			return err
		}
		if err := audit.Print(os.Stdout); err != nil {
			return err
		}
		if !audit.Holds() {
			return fmt.Errorf("audit: %d violations", audit.Found())
		}
		return nil
	})
}
