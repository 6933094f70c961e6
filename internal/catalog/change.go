package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"elsom/internal/fault"
	"elsom/internal/input"
)

// Change is a catalog that may take the place of the one in force. Until Apply
// nothing is written.
type Change struct {
	// Diff lists the differences, one line each; empty if there are none.
	Diff []string
	// Refused is why Apply will refuse it: a *StaleError, an *EmptiedError, or
	// both; nil if it won't.
	Refused error

	from, to     Contents
	source       Source
	restoredFrom int64
}

// Billers returns the billers that the change would put in force.
func (c *Change) Billers() []Biller { return c.to.Billers }

// Author identifies the person who makes a change.
type Author struct {
	// Staff is the name that the person gave, OSUser the operating system's user.
	// Both have at most 60 characters.
	Staff  string
	OSUser string
}

const longestName = 60

// Source is how a version came to be in force.
type Source string

// The sources. FromOlderRelease is a version that was in force before versions were
// stored: when and by whom it was imported is not known.
const (
	FromSeed         Source = "seed"
	FromImport       Source = "import"
	FromRestore      Source = "restore"
	FromReview       Source = "review"
	FromOlderRelease Source = "found"
)

// Version is one version of the catalog.
type Version struct {
	Number int64
	At     time.Time
	Author
	Source Source
	// RestoredFrom is the version that a restore brought back.
	RestoredFrom int64
}

// VersionError refuses a file that was exported as another version than the one in
// force. File is 0 if the file names none.
type VersionError struct{ File, InForce int64 }

func (e *VersionError) Error() string {
	if e.File == 0 {
		return fmt.Sprintf("the file names no version; version %d is in force", e.InForce)
	}
	return fmt.Sprintf("the file is of version %d, but version %d is in force", e.File, e.InForce)
}

// EmptyListError refuses a file that empties lists which have entries now.
type EmptyListError struct{ Lists []string }

func (e *EmptyListError) Error() string {
	return "the file empties " + strings.Join(e.Lists, ", ")
}

// Prepare compares a file with the catalog in force. The error of a file with
// mistakes is a fault.Invalid around a *BadFile that lists them all with their
// lines. A file of another version than the one in force is refused: what was
// imported meanwhile would be lost. So is one that empties a list, unless
// allowEmpty.
func (c *Catalog) Prepare(ctx context.Context, file []byte, allowEmpty bool) (*Change, error) {
	const op = "catalog.import"
	to, err := readFile(file)
	if err != nil {
		return nil, fault.New(fault.Invalid, op, "").Because(err)
	}
	from, err := c.inForce(ctx)
	if err != nil {
		return nil, err
	}
	change := &Change{from: from, to: to, source: FromImport, Diff: diff(from, to)}
	//mutant:drop TestStaleFilesAreRefused/sqlite
	if to.Version != from.Version {
		change.Refused = &VersionError{to.Version, from.Version}
	}
	change.refuseEmptied(allowEmpty)
	return change, nil
}

// PrepareRestore compares a former version with the catalog in force;
// fault.NotFound for one that is not stored.
func (c *Catalog) PrepareRestore(ctx context.Context, version int64, allowEmpty bool) (*Change, error) {
	content, err := c.ExportVersion(ctx, version)
	if err != nil {
		return nil, err
	}
	change, err := c.Prepare(ctx, content, true)
	if err != nil {
		return nil, err
	}
	change.source, change.restoredFrom = FromRestore, version
	change.Refused = nil // it is of another version by its nature
	change.refuseEmptied(allowEmpty)
	return change, nil
}

func (c *Change) refuseEmptied(allowed bool) {
	//mutant:replace (lists) > 0 && !allowed => (lists) > 100 && !allowed TestEmptiedListsAreRefused/sqlite
	if lists := emptied(c.from, c.to); len(lists) > 0 && !allowed {
		c.Refused = errors.Join(c.Refused, &EmptyListError{lists})
	}
}

// inForce reads the catalog in force, bypassing the cache.
func (c *Catalog) inForce(ctx context.Context) (Contents, error) {
	c.cached.Store(nil)
	s, err := c.current(ctx)
	if err != nil {
		return Contents{}, err
	}
	return s.contents, nil
}

// Apply puts a change in force as the next version, all or nothing, and stores
// it. It returns a fault.Conflict that wraps a *StaleError if another change was
// applied in between. What the change leaves out is retired. A change that changes
// nothing is not stored, unless it is a review.
func (c *Catalog) Apply(ctx context.Context, change *Change, by Author) error {
	const op = "catalog.apply"
	switch {
	//mutant:drop TestEmptiedListsAreRefused/sqlite
	case change.Refused != nil:
		return fault.New(fault.Conflict, op, "").Because(change.Refused)
	case len(change.Diff) == 0 && change.source != FromReview:
		return nil
	}
	if by.Staff != "" {
		name, err := input.StaffName(by.Staff)
		if err != nil {
			return fault.New(fault.Invalid, op, "").Because(err)
		}
		by.Staff = name
	}
	if runes := []rune(by.OSUser); len(runes) > longestName {
		by.OSUser = string(runes[:longestName])
	}
	if err := apply(ctx, c.db, change, by); err != nil {
		if stale := new(VersionError); errors.As(err, &stale) {
			return fault.New(fault.Conflict, op, "").Because(stale)
		}
		return fault.Wrap(op, err)
	}
	c.cached.Store(nil) // this process sees it at once
	return nil
}

// Seed fills an empty catalog with the one that the program carries, and leaves
// any other alone. Several processes may do it at the same moment.
func (c *Catalog) Seed(ctx context.Context) error {
	const op = "catalog.seed"
	to, err := readFile(initial)
	if err != nil {
		return fault.New(fault.Invalid, op, "").Because(err)
	}
	err = apply(ctx, c.db, &Change{to: to, source: FromSeed}, Author{})
	if stale := new(VersionError); errors.As(err, &stale) {
		return nil // it is filled
	}
	c.cached.Store(nil)
	return fault.Wrap(op, err)
}

// Export writes the catalog in force as a file, with its version; fault.Conflict if it
// is not as it was signed.
func (c *Catalog) Export(ctx context.Context) ([]byte, error) {
	const op = "catalog.export"
	contents, err := c.inForce(ctx)
	if err != nil {
		return nil, err
	}
	// An exported file is changed and imported again: that would sign what was forged.
	//mutant:drop TestChangedTablesAreNotUsed/sqlite
	if err := c.Verified(ctx); err != nil {
		return nil, fault.New(fault.Conflict, op, "").Because(fmt.Errorf(
			"the catalog is not as it was signed: %w; `elsom catalog restore VERSION` puts a signed version in force", err))
	}
	file, err := writeFile(contents)
	return file, fault.Wrap(op, err)
}

// ExportVersion returns a version as it was stored; fault.NotFound for one that
// is not, fault.Unavailable for one that is not as it was signed.
func (c *Catalog) ExportVersion(ctx context.Context, version int64) ([]byte, error) {
	const op = "catalog.export"
	row, found, err := readStoredVersion(ctx, c.db, version)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if !found {
		return nil, fault.New(fault.NotFound, op, "").Because(fmt.Errorf("version %d is not stored", version))
	}
	if err := c.db.Verify(ctx, row.record(), row.MAC, row.KeyID); err != nil {
		return nil, fault.Wrap(op, err)
	}
	return []byte(row.Content), nil
}

// Versions lists the stored versions, the newest first.
func (c *Catalog) Versions(ctx context.Context) ([]Version, error) {
	versions, err := listVersions(ctx, c.db)
	return versions, fault.Wrap("catalog.versions", err)
}
