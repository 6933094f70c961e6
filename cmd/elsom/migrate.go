package main

import (
	"context"
	"fmt"

	"elsom/internal/catalog"
	"elsom/internal/database"
)

type migrateCommand struct{}

// Run migrates the schema and seeds the catalog.
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
