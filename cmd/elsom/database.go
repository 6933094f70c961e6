package main

import (
	"context"
	"time"

	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/keycheck"
)

// openDatabase opens the database of ELSOM_DATABASE_URL, for commands that need
// no other setting than the books' keys.
func openDatabase(ctx context.Context, options ...database.Option) (*database.DB, error) {
	address, err := config.LoadDatabase()
	if err != nil {
		return nil, err
	}
	keys, enforce, err := config.LoadBooks()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return database.Open(ctx, address.Reveal(), append(options, database.WithKeys(keys, enforce))...)
}

// serverSecret returns the server's secret if the environment has it, otherwise
// nil. With it a new password is stored with its keyed hash.
func serverSecret() []byte { return []byte(config.LoadSecretKey().Reveal()) }

// withDatabase runs do on a database that exists and has this release's schema.
func withDatabase(ctx context.Context, do func(db *database.DB) error) error {
	db, err := openDatabase(ctx, database.ExistingOnly)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return do(db)
}

// withBooks is withDatabase for commands that may sign rows: their keys, if there are
// any, must be those of the portals. Without keys the transaction that would sign fails
// with database.ErrNeedsKey.
func withBooks(ctx context.Context, do func(db *database.DB) error) error {
	return withDatabase(ctx, func(db *database.DB) error {
		if db.Keys() != nil {
			//mutant:drop TestCommandsNeedTheKeyOfTheBooks
			if err := explainKeys(keycheck.VerifyBooks(ctx, db, db.Keys().IDs())); err != nil {
				return err
			}
		}
		return do(db)
	})
}
