package main

import (
	"context"
	"fmt"
	"os"

	"elsom/internal/catalog"
	"elsom/internal/database"
)

type catalogCommand struct {
	Export catalogExport `cmd:"" help:"Print the catalogue as YAML."`
	Import catalogImport `cmd:"" help:"Replace the catalogue by a YAML file; a bad file changes nothing and names its lines."`
}

type catalogExport struct{}

// Run prints the catalogue.
func (catalogExport) Run(ctx context.Context) error {
	return withDatabase(ctx, func(db *database.DB) error {
		file, err := catalog.New(db, catalog.Options{}).Export(ctx)
		if err == nil {
			_, err = os.Stdout.Write(file)
		}
		return err
	})
}

type catalogImport struct {
	File string `arg:"" help:"The file, as export prints it." type:"existingfile"`
}

// Run replaces the catalogue.
func (c catalogImport) Run(ctx context.Context) error {
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(db *database.DB) error {
		if err := catalog.New(db, catalog.Options{}).Import(ctx, content); err != nil {
			return err
		}
		fmt.Println("The catalogue is replaced; running portals show it within two seconds.")
		return nil
	})
}
