package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/operatorlog"
	"elsom/internal/origin"
	"elsom/internal/signature"
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

// baselineQuiet is how long no unsigned row may have been written when the permission
// for them ends.
const baselineQuiet = 10 * time.Minute

type keyBaseline struct {
	ActorFlags
	Accept []string `help:"Sign this row too, which was signed and has lost its signature, as the previous release causes in agents and customers that it changes. KIND:ID, as listed. May be repeated." placeholder:"KIND:ID"`
}

// Run signs the rows that were written before there was a key.
func (k keyBaseline) Run(ctx context.Context) error {
	return operate(ctx, "key baseline", k.named(), func(ctx context.Context) error {
		accepted, err := parseRefs(k.Accept)
		if err != nil {
			return err
		}
		return withBooks(ctx, func(db *database.DB) error {
			if db.Keys() == nil {
				return errors.New("ELSOM_BOOKS_KEY is not set: there is nothing to sign with")
			}
			if err := mayBaseline(ctx, db); err != nil {
				return err
			}
			b, err := origin.Sign(ctx, db, origin.Options{Report: printBaseline, Accepted: accepted, Quiet: baselineQuiet, Finish: func(ctx context.Context, tx *database.Tx, b origin.Baseline) error {
				return recordBaseline(ctx, tx, b, k.Accept)
			}})
			if err != nil {
				return err
			}
			return reportBaseline(b)
		})
	})
}

// mayBaseline returns an error for a role that may not sign earlier rows.
func mayBaseline(ctx context.Context, db *database.DB) error {
	owner, err := db.OwnsTables(ctx)
	if err != nil || owner || db.Dialect() != database.Postgres {
		return err
	}
	return errors.New("this role may not sign the unsigned rows: give ELSOM_DATABASE_URL the role that owns the tables, " +
		"as for elsom migrate (postgres://elsom_owner@…)")
}

// parseRefs parses rows in the form KIND:ID.
func parseRefs(texts []string) (refs []origin.Ref, err error) {
	for _, text := range texts {
		kind, number, _ := strings.Cut(text, ":")
		table, known := origin.Of(signature.Kind(kind))
		id, err := strconv.ParseInt(number, 10, 64)
		if err != nil || !known || !table.Mutable {
			return nil, usageError("--accept requires KIND:ID as listed, such as agent:7, not %q", text)
		}
		refs = append(refs, origin.Ref{Kind: table.Kind, ID: id})
	}
	return refs, nil
}

// reportBaseline prints what a baseline did; it returns an error if rows are left that it
// must not sign.
func reportBaseline(b origin.Baseline) error {
	for _, p := range b.Tables {
		fmt.Printf("%-20s %12d rows, %d signed now\n", p.Table, p.Read, p.Signed)
	}
	for _, ref := range b.Stripped {
		fmt.Printf("NOT SIGNED %s: the log has it as signed, and its signature is gone\n", ref)
	}
	switch {
	case len(b.Undecided) > 0:
		return refused("the permission for unsigned rows has not ended: look at the rows that are listed. If the previous release "+
			"changed them, run it again with --accept %s", b.Undecided[0])
	case !b.Ended:
		return refused("the permission for unsigned rows has not ended: one was written at %s, so a portal of the previous release, or one without "+
			"ELSOM_BOOKS_KEY, is probably running. End it, then run this again", localTime(b.Newest))
	case len(b.Stripped) > 0:
		return refused("rows without a signature are violations from now on, also those that are listed: find out what removed their signatures")
	}
	fmt.Println("Rows without a signature are violations from now on.")
	return nil
}

// printBaseline prints the progress of a baseline now and then.
func printBaseline(p origin.Progress) {
	if p.Read%100_000 == 0 {
		_, _ = fmt.Fprintf(os.Stderr, "%s, pass %d: %d rows read, %d signed\n", p.Table, p.Pass, p.Read, p.Signed)
	}
}

// recordBaseline records a baseline in the operator log, with the numbers of unsigned
// rows before and after by table.
func recordBaseline(ctx context.Context, tx *database.Tx, b origin.Baseline, accepted []string) error {
	after := map[string]any{"permitted": false, "unsigned": b.After}
	if len(accepted) > 0 {
		after["accepted"] = accepted
	}
	return operatorlog.Record(ctx, tx, operatorlog.Change{
		Subject: "unsigned rows", Before: map[string]any{"permitted": true, "unsigned": b.Before}, After: after,
	})
}
