package main

import (
	"context"
	"fmt"

	"elsom/internal/catalog"
	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/operatorlog"
)

type migrateCommand struct{}

// Run migrates the schema, and stores the shipped catalog in an empty one if it has the
// key that signs it. Without, the first portal stores it: a catalog that is signed by no
// key, or by another one, would not be used.
func (migrateCommand) Run(ctx context.Context) error {
	seeds := config.ChoosesBooksKey()
	var options []database.Option
	//mutant:drop TestMigrateWithoutTheKeyOfThePortal
	if !seeds {
		options = append(options, database.WithKeys(nil, false))
	}
	db, err := openDatabase(ctx, options...)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := verifyBooks(ctx, db); err != nil {
		return err
	}
	if err := operate(ctx, "migrate", ActorFlags{}, func(ctx context.Context) error { return migrateRecorded(ctx, db, seeds) }); err != nil {
		return err
	}
	fmt.Println("The schema is current.")
	if !seeds {
		fmt.Println("There is no key of the books: in a new database elsom serve stores the catalog.")
	}
	return nil
}

// migrateRecorded migrates the schema and records that, unless it was current.
func migrateRecorded(ctx context.Context, db *database.DB, seeds bool) error {
	before, err := db.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	do := db.Migrate
	if seeds {
		do = func(ctx context.Context) error { return migrate(ctx, db) }
	}
	if err := do(ctx); err != nil {
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

// migrate migrates the schema and stores the shipped catalog in an empty one.
func migrate(ctx context.Context, db *database.DB) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return catalog.New(db, catalog.Options{}).Seed(ctx)
}
