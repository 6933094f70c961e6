package audit

import (
	"fmt"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/signature"
)

// checkCatalog compares the billers, services and levels in force with the newest signed
// version of the catalog: payments use the tables, and only the versions are signed.
func (r *Result) checkCatalog(tx *database.Tx, keys *signature.Keys) error {
	check := len(r.Checks)
	r.Checks = append(r.Checks, Check{Invariant: "catalog", Proves: "what is in force is the newest signed version"})
	lines, err := catalog.Check(tx, keys)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	//mutant:drop TestManipulations
	for _, line := range lines {
		r.found(check, "catalog: "+line)
	}
	return nil
}
