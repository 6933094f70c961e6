package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"elsom/internal/catalog"
	"elsom/internal/config"
	"elsom/internal/database"
)

type catalogCommand struct {
	Export  catalogExport  `cmd:"" help:"Print the catalog as YAML, with its version."`
	Import  catalogImport  `cmd:"" help:"Replace the catalog with a YAML file and print what changes. A file with a mistake changes nothing; each mistake is reported with its line."`
	Show    catalogShow    `cmd:"" help:"Print the version that is in force, whether it was reviewed, and the limits of the levels."`
	Review  catalogReview  `cmd:"" help:"Record that the catalog in force was reviewed. It ends the warning about the shipped one."`
	History catalogHistory `cmd:"" help:"List the versions of the catalog, the newest first."`
	Restore catalogRestore `cmd:"" help:"Apply an earlier version again, as a new version, and print what changes."`
}

type catalogExport struct {
	Version int64 `arg:"" optional:"" help:"An earlier version (default: the current one)."`
}

// Run prints the catalog.
func (e catalogExport) Run(ctx context.Context) error {
	return withCatalog(ctx, func(c *catalog.Catalog) error {
		file, err := c.Export(ctx)
		if e.Version != 0 {
			file, err = c.ExportVersion(ctx, e.Version)
		}
		if err == nil {
			_, err = os.Stdout.Write(file)
		}
		return err
	})
}

// catalogChange has the flags of the commands that change the catalog.
type catalogChange struct {
	DryRun     bool `help:"Print what would change, and change nothing."`
	AllowEmpty bool `help:"Allow a list to become empty."`
}

type catalogImport struct {
	File string `arg:"" help:"The edited output of elsom catalog export." type:"existingfile"`
	catalogChange
	ActorFlags
}

// Run replaces the catalog.
func (i catalogImport) Run(ctx context.Context) error {
	content, err := os.ReadFile(i.File)
	if err != nil {
		return err
	}
	return withCatalog(ctx, func(c *catalog.Catalog) error {
		change, err := c.Prepare(ctx, content, i.AllowEmpty)
		if err != nil {
			return err
		}
		return i.apply(ctx, c, change, "catalog import", i.named())
	})
}

type catalogRestore struct {
	Version int64 `arg:"" help:"A version from the history."`
	catalogChange
	Staff  string `help:"Your name, for the history and the operator log; the user of this machine is stored too. Required in production."`
	Reason string `help:"Why, for the operator log. Required in production."`
}

// Validate is called by kong after parsing.
func (r catalogRestore) Validate() error {
	if r.DryRun {
		return nil
	}
	return requiredActor{r.Staff, r.Reason}.validate()
}

// Run applies an earlier version again.
func (r catalogRestore) Run(ctx context.Context) error {
	return withCatalog(ctx, func(c *catalog.Catalog) error {
		change, err := c.PrepareRestore(ctx, r.Version, r.AllowEmpty)
		if err != nil {
			return err
		}
		return r.apply(ctx, c, change, "catalog restore", ActorFlags{r.Staff, r.Reason}.named())
	})
}

// apply prints a change and, without --dry-run, makes it.
func (f catalogChange) apply(ctx context.Context, c *catalog.Catalog, change *catalog.Change, command string, by ActorFlags) error {
	for _, line := range change.Diff {
		fmt.Println(line)
	}
	for _, b := range change.Billers() {
		if config.InClear(b.URL) {
			fmt.Fprintf(os.Stderr, "warning: payments go to the biller %s in clear text; use https, or a tunnel or VPN\n", b.Code)
		}
	}
	if change.Refused != nil {
		return advise(change.Refused)
	}
	if f.DryRun {
		fmt.Println("Dry run: nothing was changed.")
		return nil
	}
	if len(change.Diff) == 0 {
		fmt.Println("Nothing changes.")
		return nil
	}
	err := operate(ctx, command, by, func(ctx context.Context) error {
		return c.Apply(ctx, change, catalog.Author{Staff: by.Staff, OSUser: osUser()})
	})
	if err != nil {
		return advise(err)
	}
	fmt.Println("The catalog is replaced; running portals show it within two seconds.")
	return nil
}

// advise adds advice for the operator to each refusal, one line each.
func advise(err error) error {
	var stale *catalog.VersionError
	var empty *catalog.EmptyListError
	var advised []error
	if errors.As(err, &stale) {
		advised = append(advised, fmt.Errorf("%w: run `elsom catalog export`, make your changes in what it prints, and import that", stale))
	}
	if errors.As(err, &empty) {
		advised = append(advised, fmt.Errorf("%w: if that is meant, add --allow-empty", empty))
	}
	if advised == nil {
		return err
	}
	return exitError{errors.Join(advised...), exitRefused}
}

type catalogHistory struct{}

// Run lists the versions.
func (catalogHistory) Run(ctx context.Context) error {
	return withCatalog(ctx, func(c *catalog.Catalog) error {
		versions, err := c.Versions(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "VERSION\tIN FORCE SINCE\tBY\tUSER\tHOW")
		for _, v := range versions {
			since, how := localTime(v.At), string(v.Source)
			switch v.Source {
			case catalog.FromOlderRelease:
				since, how = "before "+since, "found by the first import that stored versions"
			case catalog.FromRestore:
				how = fmt.Sprintf("restore of %d", v.RestoredFrom)
			}
			_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", v.Number, since, dash(v.Staff), dash(v.OSUser), how)
		}
		return table.Flush()
	})
}

func withCatalog(ctx context.Context, do func(*catalog.Catalog) error) error {
	return withBooks(ctx, func(db *database.DB) error { return do(catalog.New(db, catalog.Options{})) })
}
