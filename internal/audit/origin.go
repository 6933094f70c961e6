package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"elsom/internal/database"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

// Origin has the numbers of rows of one kind by the origin of their signatures.
type Origin struct {
	Kind     string // in words
	Signed   int64  // by the program that wrote them
	Baseline int64  // later, as found
	Unsigned int64  // permitted
	// Optional reports that rows of this kind need no signature.
	Optional bool
}

// originPage is the number of rows whose signatures are checked at once.
const originPage = 1000

// checkOrigin recomputes the signatures of all rows, or of those that are new since
// the result's moment.
func (r *Result) checkOrigin(tx *database.Tx, keys *signature.Keys) error {
	if err := r.checkPermission(tx); err != nil || keys == nil {
		return err
	}
	unsignedAllowed, err := tx.UnsignedAllowed()
	if err != nil {
		return err
	}
	for _, t := range origin.Tables {
		after, ok := t.FirstSince(r.Since)
		if !ok {
			continue
		}
		kind := strings.ReplaceAll(string(t.Kind), "_", " ")
		o, check := Origin{Kind: kind, Optional: t.Optional}, len(r.Checks)
		r.Checks = append(r.Checks, Check{Invariant: "origin", Proves: "every " + kind + " is as it was signed"})
		for {
			rows, err := t.Read(tx, after, 0, originPage)
			if err != nil {
				return fmt.Errorf("origin of %s: %w", t.Name, err)
			}
			if len(rows) == 0 {
				break
			}
			for _, row := range rows {
				//mutant:replace && !t.AlwaysSigned => TestPermissionIsNotHidden
				if wrong := o.add(keys, row, unsignedAllowed && !t.AlwaysSigned || t.Optional); wrong != "" {
					r.found(check, fmt.Sprintf("origin: %s %d %s", kind, row.Record.ID(), wrong))
				}
			}
			after = rows[len(rows)-1].Record.ID()
		}
		r.Origin = append(r.Origin, o)
	}
	return nil
}

// checkPermission warns while unsigned rows are permitted. That they are although a
// signed record ended it is a violation.
func (r *Result) checkPermission(tx *database.Tx) error {
	p, err := tx.Permission()
	if err != nil {
		return fmt.Errorf("permission for unsigned rows: %w", err)
	}
	check := len(r.Checks)
	r.Checks = append(r.Checks, Check{Invariant: "origin", Proves: "unsigned rows are not permitted again"})
	//mutant:drop TestPermissionDoesNotComeBack
	if p.Open && !p.Ended.IsZero() {
		r.found(check, "origin: unsigned rows are permitted although the permission ended "+p.Ended.Format("2006-01-02 15:04:05")+" UTC")
	}
	//mutant:drop TestFloodedPermission
	if p.Open && p.Flooded {
		r.found(check, "origin: unsigned rows are permitted, and signing_starts has too many rows to find the record that ended it")
	}
	if !p.Allowed() {
		return nil
	}
	counts, err := origin.CountUnsigned(tx)
	if err != nil {
		return err
	}
	var tables []string
	for _, table := range slices.Sorted(maps.Keys(counts)) {
		if counts[table] > 0 {
			tables = append(tables, fmt.Sprintf("%s %d", table, counts[table]))
		}
	}
	if tables == nil {
		tables = []string{"none"}
	}
	//mutant:drop TestBaseline
	r.Warnings = append(r.Warnings, "rows without a signature are permitted until `elsom key baseline`, so that forged ones pass; now there are: "+strings.Join(tables, ", "))
	return nil
}

// add counts a row and returns what is wrong with it.
func (o *Origin) add(keys *signature.Keys, row origin.Row, unsignedAllowed bool) (wrong string) {
	switch err := keys.Verify(row.Record, row.MAC, row.KeyID); {
	case errors.Is(err, signature.ErrUnsigned) && unsignedAllowed:
		o.Unsigned++
	//mutant:drop TestUnsignedRowsAreFound
	case errors.Is(err, signature.ErrUnsigned):
		return "is not signed"
	case errors.Is(err, signature.ErrUnknownKey):
		return "is signed with the unknown key " + row.KeyID
	//mutant:drop TestManipulatedRowsAreFound
	case err != nil:
		return "is not as it was signed"
	case signature.IsBaseline(row.KeyID):
		o.Baseline++
	default:
		o.Signed++
	}
	return ""
}

func (p *printer) origin(kinds []Origin) {
	if kinds == nil {
		p.line("  %-24s %s", "origin", "not checked: ELSOM_BOOKS_KEY is not set")
	}
	for _, o := range kinds {
		p.line("  %-24s %12d", "signed: "+o.Kind, o.Signed)
		if o.Baseline > 0 {
			p.line("  %-24s %12d", "signed later: "+o.Kind, o.Baseline)
		}
		switch {
		case o.Unsigned > 0 && o.Optional:
			p.line("  %-24s %12d  (commands without the key)", "not signed: "+o.Kind, o.Unsigned)
		case o.Unsigned > 0:
			p.line("  %-24s %12d  (permitted until `elsom key baseline`)", "not signed: "+o.Kind, o.Unsigned)
		}
	}
}
