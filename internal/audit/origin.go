package audit

import (
	"errors"
	"fmt"
	"strings"

	"elsom/internal/database"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

// Origin is the number of rows of one kind by who signed them.
type Origin struct {
	Kind     string // in words
	Signed   int64  // by the program that wrote them
	Baseline int64  // later, as found
	Unsigned int64  // permitted
}

// originPage is the number of rows whose signatures are checked at once.
const originPage = 1000

// checkOrigin recomputes the signatures of all rows, or of those that are new since
// the result's moment.
func (r *Result) checkOrigin(tx *database.Tx, keys *signature.Keys) error {
	if keys == nil {
		return nil
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
		o, check := Origin{Kind: kind}, len(r.Checks)
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
				if wrong := o.add(keys, row, unsignedAllowed); wrong != "" {
					r.found(check, fmt.Sprintf("origin: %s %d %s", kind, row.Record.ID(), wrong))
				}
			}
			after = rows[len(rows)-1].Record.ID()
		}
		r.Origin = append(r.Origin, o)
	}
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
		if o.Unsigned > 0 {
			p.line("  %-24s %12d  (permitted until `elsom key baseline`)", "not signed: "+o.Kind, o.Unsigned)
		}
	}
}
