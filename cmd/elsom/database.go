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
	return database.Open(ctx, address.Reveal(), append([]database.Option{database.WithKeys(keys, enforce)}, options...)...)
}

// serverSecret returns the server's secret if the environment has a usable one, otherwise
// nil. With it a new password is stored with its keyed hash.
func serverSecret() []byte {
	secret, _ := config.LoadSecretKey() // agents and gateways can do without
	return []byte(secret.Reveal())
}

// withDatabase runs do on a database that exists and has this release's schema.
func withDatabase(ctx context.Context, do func(db *database.DB) error) error {
	db, err := openDatabase(ctx, database.ExistingOnly)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return do(db)
}

// withBooks is withDatabase for commands that may sign rows, if only their entry in the
// operator log: their keys, if there are any, must be those of the portals. Without keys
// the transaction that would sign a row of the books fails with database.ErrNeedsKey.
func withBooks(ctx context.Context, do func(db *database.DB) error) error {
	return withDatabase(ctx, func(db *database.DB) error {
		//mutant:drop TestCommandsNeedTheKeyOfTheBooks
		if err := verifyBooks(ctx, db); err != nil {
			return err
		}
		return do(db)
	})
}

// verifyBooks returns an error if there are keys of the books that are not those of the
// portals.
func verifyBooks(ctx context.Context, db *database.DB) error {
	if db.Keys() == nil {
		return nil
	}
	return explainKeys(keycheck.VerifyBooks(ctx, db, db.Keys().IDs()))
}
