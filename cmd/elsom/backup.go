package main

import (
	"context"
	"fmt"

	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/operatorlog"
)

type backupCommand struct {
	File string `arg:"" help:"The file to write. An existing file is never overwritten."`
}

// Run backs the database up.
func (b backupCommand) Run(ctx context.Context) error {
	return operate(ctx, "backup", ActorFlags{}, b.backup)
}

func (b backupCommand) backup(ctx context.Context) error {
	address, err := config.LoadDatabase()
	if err != nil {
		return err
	}
	if err := database.Backup(ctx, address.Reveal(), b.File); err != nil {
		return err
	}
	recordFileOperation(ctx, operatorlog.Change{Subject: "database", After: map[string]any{"backup": b.File}})
	fmt.Printf("%s holds the database as of the start of the backup.\n", b.File)
	for _, left := range database.UnfinishedFiles(b.File) {
		fmt.Printf("%s is left from a backup that was killed, unless one is still running: if none is, delete it.\n", left)
	}
	return nil
}

type restoreCommand struct {
	File string `arg:"" help:"A file written by elsom backup."`
}

// Run restores a database from a backup.
func (r restoreCommand) Run(ctx context.Context) error {
	return operate(ctx, "restore", ActorFlags{}, r.restore)
}

func (r restoreCommand) restore(ctx context.Context) error {
	address, err := config.LoadDatabase()
	if err != nil {
		return err
	}
	if err := database.Restore(ctx, address.Reveal(), r.File); err != nil {
		return err
	}
	recordFileOperation(ctx, operatorlog.Change{Subject: "database", After: map[string]any{"restored_from": r.File}})
	fmt.Println("The database is restored. If the backup is of an older release, run `elsom migrate`; then verify it with `elsom audit`.")
	return nil
}
