package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"elsom/internal/database"
	"elsom/internal/operatorlog"
	"elsom/internal/origin"
)

type keyCommands struct {
	Status   keyStatus   `cmd:"" help:"Print what still depends on the previous server's secret and PIN pepper."`
	New      keyNew      `cmd:"" help:"Print a new key of the books for ELSOM_BOOKS_KEY, or one of the log's checkpoints."`
	Rotate   keyRotate   `cmd:"" help:"Make a new key of the books the first in a file, so that it signs; the others still verify."`
	Baseline keyBaseline `cmd:"" help:"Sign the rows that were written before the books had a key, as they are, and require a signature from then on. Runs beside portals, as the owner of the tables."`
}

type keyNew struct {
	Checkpoint string `help:"Print a key of checkpoints instead (ELSOM_CHECKPOINT_KEY), for the log of this name, such as wallet.example.kg." placeholder:"NAME"`
}

// Run prints a new key.
func (k keyNew) Run() error {
	if k.Checkpoint != "" {
		return printCheckpointKey(k.Checkpoint)
	}
	_, err := fmt.Println(newBooksKey())
	return err
}

// newBooksKey returns 32 random bytes as hexadecimal digits.
func newBooksKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(key[:])
}

type keyRotate struct {
	File    string `arg:"" help:"The file of ELSOM_BOOKS_KEY_FILE." type:"path"`
	Prepare bool   `help:"Add the new key as the last one, which only verifies: copy the file to all portals and restart them before it signs."`
}

// Run adds a new key to a file of keys.
func (k keyRotate) Run() error {
	ids, err := rotateKeyFile(k.File, k.Prepare, newBooksKey(), time.Now())
	if err != nil {
		return err
	}
	fmt.Printf("%s has %d keys; %s signs.\n", k.File, len(ids), ids[0])
	if k.Prepare {
		fmt.Printf("%s verifies only. Copy the file to all portals and restart them; then run elsom key rotate again, and copy and restart again.\n", ids[len(ids)-1])
	} else {
		fmt.Println("Copy the file to all portals and restart them. Keep a copy apart from the database's backups.")
	}
	return nil
}

type keyBaseline struct{ ActorFlags }

// Run signs the rows of before.
func (k keyBaseline) Run(ctx context.Context) error {
	return operate(ctx, "key baseline", k.ActorFlags, func(ctx context.Context) error {
		return withBooks(ctx, func(db *database.DB) error {
			if db.Keys() == nil {
				return errors.New("ELSOM_BOOKS_KEY is not set: there is nothing to sign with")
			}
			done, err := origin.Baseline(ctx, db, printBaseline, recordBaseline)
			if err != nil {
				return err
			}
			for _, p := range done {
				fmt.Printf("%-20s %12d rows, %d signed now\n", p.Table, p.Read, p.Signed)
			}
			fmt.Println("Rows without a signature are violations from now on.")
			return nil
		})
	})
}

// printBaseline prints the progress of a baseline now and then.
func printBaseline(p origin.Progress) {
	if p.Read%100_000 == 0 {
		_, _ = fmt.Fprintf(os.Stderr, "%s, pass %d: %d rows read, %d signed\n", p.Table, p.Pass, p.Read, p.Signed)
	}
}

// recordBaseline records a baseline in the operator log.
func recordBaseline(ctx context.Context, tx *database.Tx, done []origin.Progress) error {
	signed := map[string]any{}
	for _, p := range done {
		signed[p.Table] = p.Signed
	}
	return operatorlog.Record(ctx, tx, operatorlog.Change{Subject: "unsigned rows", Before: map[string]any{"permitted": true}, After: signed})
}
