package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"

	"elsom/internal/catalog"
	"elsom/internal/config"
)

type catalogShow struct{}

// Run prints which version is in force, whether it was reviewed, and the levels.
func (catalogShow) Run(ctx context.Context) error {
	return withCatalog(ctx, func(c *catalog.Catalog) error {
		status, err := c.Status(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("version %d", status.Number)
		if !status.At.IsZero() {
			fmt.Printf(", since %s, by %s (user %s): %s", localTime(status.At), dash(status.Staff), dash(status.OSUser), status.Source)
		}
		fmt.Printf("\nsigned: %s", catalogSigned(ctx, c))
		fmt.Printf("\nreviewed: %s\n\n", map[bool]string{true: "yes", false: "no; review it, and run elsom catalog review --staff NAME"}[status.Reviewed])
		levels, err := c.Levels(ctx)
		if err != nil {
			return err
		}
		byDefault, err := c.DefaultLevel(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "LEVEL\tBALANCE\tOPERATION\tDAY\tMONTH\t")
		for _, l := range levels {
			mark := ""
			if l.Code == byDefault {
				mark = "new customers"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Code, limitText(l.Balance), limitText(l.Operation), limitText(l.Day), limitText(l.Month), mark)
		}
		return table.Flush()
	})
}

// catalogSigned returns a text: whether the catalog in force is the newest signed version.
func catalogSigned(ctx context.Context, c *catalog.Catalog) string {
	keys, _, err := config.LoadBooks()
	if err == nil && keys == nil {
		return "not checked, since ELSOM_BOOKS_KEY is not set"
	}
	if err = c.Verified(ctx); err != nil {
		return "NO, it is not used: " + errorText(err)
	}
	return "yes"
}

type catalogReview struct {
	Staff  string `help:"Name of the person who reviewed it, for the history; the user of this machine is stored too." required:""`
	Reason string `help:"Why, for the operator log."`
}

// Run records that the catalog in force was reviewed.
func (r catalogReview) Run(ctx context.Context) error {
	return withCatalog(ctx, func(c *catalog.Catalog) error {
		if err := operate(ctx, "catalog review", ActorFlags(r), func(ctx context.Context) error {
			return c.Review(ctx, catalog.Author{Staff: r.Staff, OSUser: osUser()})
		}); err != nil {
			return advise(err)
		}
		fmt.Println("The catalog is recorded as reviewed.")
		return nil
	})
}

// warnCatalog logs, in production, that the shipped catalog is in force unreviewed.
func (a *app) warnCatalog(ctx context.Context) {
	if a.config.Development() {
		return
	}
	status, err := a.catalog.Status(ctx)
	switch {
	case err != nil:
		slog.WarnContext(ctx, "catalog: reading the version failed", "error", err)
	//mutant:drop ./internal/e2e TestServeWarnsOfAnUnreviewedCatalog
	case !status.Reviewed:
		slog.WarnContext(ctx, "catalog: the shipped limits and fees are placeholders; import your own, or review them and run elsom catalog review")
	}
}
