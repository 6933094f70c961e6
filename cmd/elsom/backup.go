package main

import (
	"context"
	"fmt"

	"elsom/internal/config"
	"elsom/internal/database"
)

type backupCommand struct {
	File string `arg:"" help:"The new file. What is there already is never overwritten."`
}

// Run backs the database up.
func (b backupCommand) Run(ctx context.Context) error {
	address, err := config.LoadDatabase()
	if err != nil {
		return err
	}
	if err := database.Backup(ctx, address.Reveal(), b.File); err != nil {
		return err
	}
	fmt.Printf("%s has the database as it stood when the backup began.\n", b.File)
	for _, left := range database.UnfinishedFiles(b.File) {
		fmt.Printf("%s is of a backup that was killed, or that still runs: if none does, delete it.\n", left)
	}
	return nil
}

type restoreCommand struct {
	File string `arg:"" help:"What elsom backup made."`
}

// Run puts a backup into the place of a database that is gone.
func (r restoreCommand) Run(ctx context.Context) error {
	address, err := config.LoadDatabase()
	if err != nil {
		return err
	}
	if err := database.Restore(ctx, address.Reveal(), r.File); err != nil {
		return err
	}
	fmt.Println("The database is in its place. `elsom migrate` brings an older release's up; then let `elsom audit` prove it.")
	return nil
}
