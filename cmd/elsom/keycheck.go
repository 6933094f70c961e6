package main

import (
	"context"
	"errors"
	"fmt"

	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/keycheck"
	"elsom/internal/origin"
)

// serverKeys returns the configured keys that stored data depends on.
func serverKeys(c *config.Config) []keycheck.Key {
	keys := []keycheck.Key{{Name: keycheck.Secret, Value: []byte(c.SecretKey.Reveal()), Previous: []byte(c.SecretKeyPrevious.Reveal())}}
	if c.PINPepper.Set() { // commands without PINs have none
		keys = append(keys, keycheck.Key{Name: keycheck.Pepper, Value: []byte(c.PINPepper.Reveal()), Previous: []byte(c.PINPepperPrevious.Reveal())})
	}
	return keys
}

// verifyKeys compares all configured keys with the database's, and writes nothing.
func verifyKeys(ctx context.Context, db *database.DB, c *config.Config) error {
	//mutant:replace , serverKeys(c)... => ./internal/e2e TestKeysOfAnotherDatabase/sqlite
	return explainKeys(joinMismatches(keycheck.Verify(ctx, db, serverKeys(c)...), keycheck.VerifyBooks(ctx, db, c.BooksKeys().IDs())))
}

// recordKeys records the configured keys that the database has not recorded yet. Of
// concurrent first starts with different keys only one succeeds. Without a key of the
// books it fails if rows are signed already.
func recordKeys(ctx context.Context, db *database.DB, c *config.Config) error {
	//mutant:drop ./internal/e2e TestServeNeedsTheKeyOfTheBooks
	if err := db.CheckKeys(ctx); err != nil {
		return err
	}
	if err := origin.CheckStart(ctx, db); err != nil {
		return err
	}
	//mutant:replace Record => Verify ./internal/e2e TestTwoKeysOnAnEmptyDatabase/sqlite
	if err := keycheck.Record(ctx, db, serverKeys(c)...); err != nil {
		return explainKeys(err)
	}
	if err := keycheck.RecordBooks(ctx, db, c.BooksKeys().IDs()); err != nil {
		return explainKeys(err)
	}
	return origin.Start(ctx, db)
}

// joinMismatches makes one MismatchError of two; another error comes first.
func joinMismatches(errs ...error) error {
	var joined keycheck.MismatchError
	for _, err := range errs {
		var mismatch keycheck.MismatchError
		if err != nil && !errors.As(err, &mismatch) {
			return err
		}
		joined = append(joined, mismatch...)
	}
	if joined == nil {
		return nil
	}
	return joined
}

// explainKeys turns a MismatchError into advice for the operator, one line for
// each variable.
func explainKeys(err error) error {
	var mismatch keycheck.MismatchError
	if !errors.As(err, &mismatch) {
		return err
	}
	variables := map[keycheck.Name]string{keycheck.Secret: "ELSOM_SECRET_KEY", keycheck.Pepper: "ELSOM_PIN_PEPPER", keycheck.Books: "ELSOM_BOOKS_KEY"}
	lost := map[keycheck.Name]string{
		keycheck.Secret: "with another key codes, counters and stored secrets are lost",
		keycheck.Pepper: "with another key every PIN is wrong, and customers get locked out",
		keycheck.Books:  "with another key rows are signed that other portals refuse (a new key is added by `elsom key rotate`)",
	}
	var problems []error
	for _, m := range mismatch {
		if m.Missing {
			problems = append(problems, fmt.Errorf("%s: is not set, but the rows of this database are signed since %s. Set the key of its portals",
				variables[m.Name], localTime(m.Since)))
			continue
		}
		previous := fmt.Sprintf(" (as %s_PREVIOUS while this one replaces it, see elsom help keys)", variables[m.Name])
		if m.Name == keycheck.Books {
			previous = " in its file"
		}
		problems = append(problems, fmt.Errorf("%s: is not the key of this database, which was recorded on %s; %s. "+
			"Set that key again%s, or set ELSOM_DATABASE_URL to the database of this key",
			variables[m.Name], localTime(m.Since), lost[m.Name], previous))
	}
	return errors.Join(problems...)
}
