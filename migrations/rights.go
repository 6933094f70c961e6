package migrations

import (
	_ "embed"
	"fmt"
	"sort"
	"strings"
)

//go:embed rights.txt
var rightsText string

// A Right is what a serving role of PostgreSQL may do with a table or a view besides
// reading it.
type Right struct {
	Table     string
	Privilege string // INSERT, UPDATE or DELETE
	Column    string // the column of an UPDATE; empty: the whole table
}

// Rights returns the rights of a serving role, and the tables that it may read.
func Rights() (rights []Right, tables []string) {
	rights, tables, err := parseRights(rightsText)
	if err != nil {
		panic(err) // TestRightsAreReadable
	}
	return rights, tables
}

// parseRights reads the form of rights.txt.
func parseRights(text string) (rights []Right, tables []string, err error) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		table, list, _ := strings.Cut(line, " ")
		tables = append(tables, table)
		if list = strings.TrimSpace(list); list == "-" {
			continue
		}
		for list != "" {
			var privilege, columns string
			if head, rest, found := strings.Cut(list, "("); found && !strings.Contains(head, ",") {
				var tail string
				if columns, tail, found = strings.Cut(rest, ")"); !found {
					return nil, nil, fmt.Errorf("migrations: rights.txt: %s: a parenthesis isn't closed", table)
				}
				privilege, list = head, strings.TrimPrefix(strings.TrimSpace(tail), ",")
			} else {
				privilege, list, _ = strings.Cut(list, ",")
			}
			privilege, list = strings.ToUpper(strings.TrimSpace(privilege)), strings.TrimSpace(list)
			if privilege != "INSERT" && privilege != "UPDATE" && privilege != "DELETE" {
				return nil, nil, fmt.Errorf("migrations: rights.txt: %s: %q is not a right", table, privilege)
			}
			if columns != "" && privilege != "UPDATE" {
				return nil, nil, fmt.Errorf("migrations: rights.txt: %s: only UPDATE has columns", table)
			}
			for _, column := range strings.Split(columns, ",") {
				rights = append(rights, Right{table, privilege, strings.TrimSpace(column)})
			}
		}
	}
	sort.Strings(tables)
	return rights, tables, nil
}

// Grants returns statements that give a role exactly the rights of a serving role on
// one table, whatever it had before. The role's name must be quoted where necessary.
func Grants(table, role string) []string {
	statements, columns := GrantsOf(table, role)
	if len(columns) > 0 {
		statements = append(statements, fmt.Sprintf("GRANT UPDATE (%s) ON %s TO %s", strings.Join(columns, ", "), table, role))
	}
	return statements
}

// GrantsOf is Grants without the right to update single columns, which it returns: a
// schema of an earlier release lacks some.
func GrantsOf(table, role string) (statements, columns []string) {
	all, _ := Rights()
	statements = []string{
		fmt.Sprintf("REVOKE ALL ON %s FROM %s", table, role),
		fmt.Sprintf("GRANT SELECT ON %s TO %s", table, role),
	}
	for _, r := range all {
		switch {
		case r.Table != table:
		//mutant:replace r.Column == "" => r.Table != "" ./internal/e2e TestExampleRoles
		case r.Column == "":
			statements = append(statements, fmt.Sprintf("GRANT %s ON %s TO %s", r.Privilege, table, role))
		default:
			columns = append(columns, r.Column)
		}
	}
	return statements, columns
}
