package main

import (
	"errors"
	"fmt"
	"time"

	"elsom/internal/config"
	"elsom/internal/keycheck"
)

// serverKeys returns the configured keys that stored data depends on.
func serverKeys(c *config.Config) []keycheck.Key {
	keys := []keycheck.Key{{Name: keycheck.Secret, Value: []byte(c.SecretKey.Reveal()), Previous: []byte(c.SecretKeyPrevious.Reveal())}}
	if c.PINPepper.Set() { // commands without PINs have none
		keys = append(keys, keycheck.Key{Name: keycheck.Pepper, Value: []byte(c.PINPepper.Reveal()), Previous: []byte(c.PINPepperPrevious.Reveal())})
	}
	return keys
}

// explainKeys turns a MismatchError into advice for the operator, one line for
// each variable.
func explainKeys(err error) error {
	var mismatch keycheck.MismatchError
	if !errors.As(err, &mismatch) {
		return err
	}
	variables := map[keycheck.Name]string{keycheck.Secret: "ELSOM_SECRET_KEY", keycheck.Pepper: "ELSOM_PIN_PEPPER"}
	lost := map[keycheck.Name]string{
		keycheck.Secret: "with another key codes, counters and stored secrets are lost",
		keycheck.Pepper: "with another key every PIN is wrong, and customers get locked out",
	}
	var problems []error
	for _, m := range mismatch {
		problems = append(problems, fmt.Errorf("%s: is not the key of this database, which was recorded on %s; %s. "+
			"Set that key again (as %s_PREVIOUS while this one replaces it, see elsom help keys), or set ELSOM_DATABASE_URL to the database of this key",
			variables[m.Name], m.Since.UTC().Format(time.RFC3339), lost[m.Name], variables[m.Name]))
	}
	return errors.Join(problems...)
}
