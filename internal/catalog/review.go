package catalog

import (
	"context"
	"errors"

	"elsom/internal/fault"
)

// Status is the version in force.
type Status struct {
	Version
	// Reviewed is false while what the program carries is in force and no operator has
	// confirmed it: its limits and fees are placeholders.
	Reviewed bool
}

// seedVersion is the version of what Seed fills in.
const seedVersion = 1

// Status returns the version in force. Its time is zero where it was not stored.
func (c *Catalog) Status(ctx context.Context) (Status, error) {
	const op = "catalog.status"
	number, err := readVersion(inDatabase(ctx, c.db))
	if err != nil {
		return Status{}, fault.Wrap(op, err)
	}
	versions, err := c.Versions(ctx)
	if err != nil {
		return Status{}, err
	}
	status := Status{Version: Version{Number: number}, Reviewed: true}
	for _, v := range versions {
		if v.Number == number {
			status.Version = v
		}
	}
	//mutant:replace number <= seedVersion => false TestReviewEndsTheWarning/sqlite
	if number <= seedVersion || status.Source == FromSeed {
		// An import, a restore and a review each make a later version.
		status.Reviewed = false
	}
	return status, nil
}

// Review confirms the catalog in force as it is. It is stored as another version with
// the same contents. Errors are those of Apply.
func (c *Catalog) Review(ctx context.Context, by Author) error {
	const op = "catalog.review"
	//mutant:drop TestReviewEndsTheWarning/sqlite
	if by.Staff == "" {
		return fault.New(fault.Invalid, op, "").Because(errors.New("the name of the person is missing"))
	}
	file, err := c.Export(ctx) // without what is retired
	if err != nil {
		return err
	}
	change, err := c.Prepare(ctx, file, true)
	if err != nil {
		return err
	}
	change.source = FromReview
	return c.Apply(ctx, change, by)
}
