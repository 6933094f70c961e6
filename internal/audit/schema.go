package audit

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"elsom/internal/database"
	"elsom/migrations"
)

// The schema that the migrations make, a part a line: "KIND NAME: DEFINITION". They
// are written by `go test ./internal/audit -run TestSchemaFiles -update`.
var (
	//go:embed schema.postgres.txt
	schemaPostgres string
	//go:embed schema.sqlite.txt
	schemaSQLite string
)

// schemaRules are the properties of the schema, and the kinds of parts that each is
// about.
var schemaRules = []struct {
	proves string
	kinds  string
}{
	{"tables, columns and views are those of this release", "table view relation column inheritance"},
	{"constraints, keys and indexes are in place", "constraint index foreign key"},
	{"triggers and functions are those of this release", "trigger function operator"},
	{"nothing else changes or hides rows", "rule policy event trigger subscription setting"},
	{"the serving role has no more rights than it needs", "right role"},
	{"no other schema hides the tables or leads to them", "shadow access"},
}

const schema = "schema"

// checkSchema compares the schema with that of the migrations.
func (r *Result) checkSchema(tx *database.Tx) error {
	objects, err := readObjects(tx)
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	expected := schemaSQLite
	if tx.Dialect() == database.Postgres {
		expected = schemaPostgres
	}
	first := len(r.Checks)
	for _, rule := range schemaRules {
		r.Checks = append(r.Checks, Check{Invariant: schema, Proves: rule.proves})
	}
	for _, d := range compareSchema(expected, objects) {
		r.found(first+ruleOf(d.kind), schema+": "+d.says)
	}
	return nil
}

// checkIndexes verifies in a full audit that the indexes of SQLite agree with their
// tables: one that was taken away while rows were written hides them from other checks.
func (r *Result) checkIndexes(tx *database.Tx) error {
	if tx.Dialect() != database.SQLite || !r.Since.IsZero() {
		return nil
	}
	lines, err := readIndexErrors(tx)
	if err != nil {
		return fmt.Errorf("schema: indexes: %w", err)
	}
	check := len(r.Checks)
	r.Checks = append(r.Checks, Check{Invariant: schema, Proves: "indexes agree with their tables"})
	//mutant:drop TestIndexThatHidesRows
	for _, line := range lines {
		r.found(check, schema+": "+line)
	}
	return nil
}

// ruleOf returns the index of the rule about a kind.
func ruleOf(kind string) int {
	return slices.IndexFunc(schemaRules, func(rule struct{ proves, kinds string }) bool {
		return strings.Contains(" "+rule.kinds+" ", " "+kind+" ")
	})
}

// difference is a part of a schema that is not as expected.
type difference struct{ kind, says string }

// compareSchema returns how parts of a schema differ from an expected description.
func compareSchema(expected string, objects []object) (differences []difference) {
	want, found := parseSchema(expected), map[string]string{}
	for _, o := range objects {
		found[o.key()] = normalized(o)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		have, exists := found[key]
		switch {
		//mutant:negate TestSchemaChangesAreFound
		case !exists:
			differences = append(differences, difference{kindOf(key), key + " is missing"})
		//mutant:replace have != want[key] && => have == "" && TestSchemaChangesAreFound
		case have != want[key] && have+" NOT VALID" != want[key]: // a validated constraint is as good
			differences = append(differences, difference{kindOf(key), key + " is not as the migrations made it: " + shortened(have)})
		}
	}
	for _, o := range objects {
		_, expected := want[o.key()]
		//mutant:replace expected || harmless(o, want) => expected || harmless(o, want) || o.Kind != "" TestSchemaChangesAreFound
		if expected || harmless(o, want) {
			continue
		}
		says := o.key() + " is not of this release: " + shortened(normalized(o))
		switch o.Kind {
		case "right":
			says = "a role has a right that it doesn't need: " + o.Name
		case "role":
			says = "serving role " + o.Name + " " + o.Definition
		case "access":
			says = o.Name + ", " + o.Definition
		case "shadow":
			says = o.Name + " " + o.Definition
		}
		differences = append(differences, difference{o.Kind, says})
	}
	return differences
}

// harmless reports whether a part that the migrations didn't make changes nothing: an
// operator may add tables and plain indexes.
func harmless(o object, want map[string]string) bool {
	switch o.Kind {
	case "table", "view", "relation":
		return true
	case "right":
		right, role, _ := strings.Cut(o.Name, " to ")
		return !isExpected(want, tableOf(right)) || role != "PUBLIC" && grantable()[right]
	case "column", "constraint", "trigger", "rule", "policy":
		return !isExpected(want, tableOf(o.Name))
	case "index":
		return !isExpected(want, tableOf(o.Name)) || plainIndex.MatchString(oneSpaced(o.Definition))
	}
	return false
}

// plainIndex matches an index of columns: it refuses nothing and runs no function.
var plainIndex = regexp.MustCompile(`^CREATE INDEX \S+ ON \S+ ?(USING btree )?\([a-z_, ]+\)$`)

// tableOf returns the table in the name of a part: "x of TABLE".
func tableOf(name string) string { return name[strings.LastIndex(name, " ")+1:] }

// isExpected reports whether a table or view is one that the migrations make.
func isExpected(want map[string]string, table string) bool {
	_, isTable := want["table "+table]
	_, isView := want["view "+table]
	return isTable || isView
}

// grantable returns the rights of a serving role as names of parts.
var grantable = sync.OnceValue(func() map[string]bool {
	allowed := map[string]bool{}
	rights, _ := migrations.Rights()
	for _, r := range rights {
		name := r.Privilege + " of " + r.Table
		if r.Column != "" {
			name = r.Privilege + " (" + r.Column + ") of " + r.Table
		}
		allowed[name] = true
	}
	return allowed
})

func (o object) key() string { return o.Kind + " " + o.Name }

// kindOf returns the kind in the key of a part.
func kindOf(key string) string {
	for _, kind := range []string{"event trigger", "foreign key"} {
		if strings.HasPrefix(key, kind+" ") {
			return kind
		}
	}
	kind, _, _ := strings.Cut(key, " ")
	return kind
}

// parseSchema reads a description of a schema.
func parseSchema(text string) map[string]string {
	parts := map[string]string{}
	for line := range strings.Lines(text) {
		if key, definition, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); found {
			parts[key] = definition
		}
	}
	return parts
}

// describeSchema returns the description of the parts that migrations made. What
// belongs to roles is not in it.
func describeSchema(objects []object) string {
	var lines []string
	for _, o := range objects {
		if !slices.Contains([]string{"right", "role", "access", "setting"}, o.Kind) {
			lines = append(lines, o.key()+": "+normalized(o)+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// qualifier matches the table before a column. Releases of PostgreSQL differ in
// whether a view's columns have it.
var qualifier = regexp.MustCompile(`\b[a-z_]+\.([a-z_]+)\b`)

// restored makes one form of the two in which PostgreSQL stores a list of texts: the
// other one results from pg_dump and pg_restore.
//
//mutant:replace "::character varying]::text[]" => "-" ./internal/e2e TestDumpWhileServing
var restored = strings.NewReplacer("::character varying]::text[]", "::character varying]", "::character varying::text", "::character varying")

// normalized returns a part's definition on one line, without comments.
func normalized(o object) string {
	text := restored.Replace(oneSpaced(o.Definition))
	if o.Kind == "view" {
		text = qualifier.ReplaceAllString(text, "$1")
	}
	return text
}

// oneSpaced drops comments and joins white space, outside of quotes.
func oneSpaced(text string) string {
	var out strings.Builder
	space := false
	write := func(s string) {
		if space && out.Len() > 0 {
			out.WriteByte(' ')
		}
		space = false
		out.WriteString(s)
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				end = len(text) - i - 2
			}
			write(text[i : i+end+2])
			i += end + 2
		//mutant:replace strings.HasPrefix(text[i:], "--") => false TestOneSpaced
		case strings.HasPrefix(text[i:], "--"):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				end = len(text) - i
			}
			space, i = true, i+end
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			space, i = true, i+1
		default:
			write(text[i : i+1])
			i++
		}
	}
	return out.String()
}

// shortened returns the beginning of a definition.
func shortened(text string) string {
	const limit = 200
	if len(text) > limit {
		return strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}
