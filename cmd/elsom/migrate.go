package main

import (
	"context"
	"fmt"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/operatorlog"
)

type migrateCommand struct{}

// Run migrates the schema and seeds the catalog.
func (migrateCommand) Run(ctx context.Context) error {
	db, err := openDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := operate(ctx, "migrate", ActorFlags{}, func(ctx context.Context) error { return migrateRecorded(ctx, db) }); err != nil {
		return err
	}
	fmt.Println("The schema is current.")
	return nil
}

// migrateRecorded migrates the schema and records that, unless it was current.
func migrateRecorded(ctx context.Context, db *database.DB) error {
	before, err := db.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if err := migrate(ctx, db); err != nil {
		return err
	}
	after, err := db.SchemaVersion(ctx)
	if err != nil || after == before {
		return err
	}
	return recordOperation(ctx, db, operatorlog.Change{
		Subject: "schema", Before: map[string]any{"version": before}, After: map[string]any{"version": after},
	})
}

func migrate(ctx context.Context, db *database.DB) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return catalog.New(db, catalog.Options{}).Seed(ctx)
}
