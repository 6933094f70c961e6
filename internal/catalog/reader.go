package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"elsom/internal/money"
)

// Problem is a mistake in a catalog file.
type Problem struct {
	// Line counts from 1; 0 if the mistake has no position.
	Line int
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Text)
}

// FileError lists all mistakes of a catalog file, by line.
type FileError struct{ Problems []Problem }

func (b *FileError) Error() string {
	lines := make([]string, len(b.Problems))
	for i, p := range b.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// reader reads values from YAML and collects mistakes. Its methods return the zero
// value for a node that is missing or wrong; a missing one was reported by fields.
type reader struct{ problems []Problem }

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	r.problems = append(r.problems, Problem{line, fmt.Sprintf(format, args...)})
}

// fields returns the values of a mapping by key. Each key must be required or
// optional and occur once.
func (r *reader) fields(n *yaml.Node, what string, required, optional []string) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	if n == nil {
		return found
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s: expected fields (%s)", what, strings.Join(slices.Concat(required, optional), ", "))
		return found
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(required, key.Value) && !slices.Contains(optional, key.Value):
			r.fail(key, "%s: unknown field %q", what, key.Value)
		case found[key.Value] != nil:
			r.fail(key, "%s: field %q appears twice", what, key.Value)
		default:
			found[key.Value] = value
		}
	}
	for _, name := range required {
		if found[name] == nil {
			r.fail(n, "%s: field %q is missing", what, name)
		}
	}
	return found
}

func (r *reader) list(n *yaml.Node, what string, most int) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind != yaml.SequenceNode:
		r.fail(n, "%s: expected a list", what)
		return nil
	case len(n.Content) > most:
		r.fail(n, "%s: more than %d entries", what, most)
		return nil
	}
	return n.Content
}

func (r *reader) scalar(n *yaml.Node, what string) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fail(n, "%s: expected a value", what)
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(n *yaml.Node, what string, most int) string {
	value, ok := r.scalar(n, what)
	if !ok {
		return ""
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		r.fail(n, "%s: empty", what)
	case utf8.RuneCountInString(value) > most:
		r.fail(n, "%s: longer than %d characters", what, most)
	case !printable(value):
		r.fail(n, "%s: has characters that can't be printed", what)
	default:
		return value
	}
	return ""
}

var codeForm = regexp.MustCompile(`\A[a-z][a-z0-9-]{0,31}\z`)

func (r *reader) code(n *yaml.Node, what string) string {
	value, ok := r.scalar(n, what)
	if !ok {
		return ""
	}
	if !codeForm.MatchString(value) {
		r.fail(n, "%s: %q is not a code (a lower-case Latin letter, then such letters, digits, dashes; at most 32)", what, value)
		return ""
	}
	return value
}

func (r *reader) translations(n *yaml.Node, what string, most int) Text {
	f := r.fields(n, what, []string{"ky", "ru", "en"}, nil)
	return Text{
		KY: r.text(f["ky"], what+" in ky", most),
		RU: r.text(f["ru"], what+" in ru", most),
		EN: r.text(f["en"], what+" in en", most),
	}
}

// none is the value of a limit or fee that doesn't exist.
const none = "none"

// amount parses som above zero, or none as 0.
func (r *reader) amount(n *yaml.Node, what string) money.Amount {
	value, ok := r.scalar(n, what)
	if !ok || value == none {
		return 0
	}
	amount, err := money.Parse(value)
	if err != nil {
		r.fail(n, "%s: %q is not an amount in som (like \"250.50\", or none)", what, value)
		return 0
	}
	if amount == 0 {
		r.fail(n, "%s: an amount must be above zero; write none where there is none", what)
	}
	return amount
}

func (r *reader) boolean(n *yaml.Node, what string) bool {
	value, ok := r.scalar(n, what)
	if !ok {
		return false
	}
	if value != "true" && value != "false" {
		r.fail(n, "%s: expected true or false", what)
	}
	return value == "true"
}

func (r *reader) number(n *yaml.Node, what string, least, most int) int {
	value, ok := r.scalar(n, what)
	if !ok {
		return 0
	}
	number, err := strconv.Atoi(value)
	if err != nil || number < least || number > most {
		r.fail(n, "%s: expected a number from %d to %d", what, least, most)
		return 0
	}
	return number
}

func (r *reader) duration(n *yaml.Node, what string, least, most time.Duration) time.Duration {
	value, ok := r.scalar(n, what)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < least || d > most || d != d.Truncate(time.Millisecond) {
		r.fail(n, "%s: expected a time from %s to %s, like 20s", what, least, most)
		return 0
	}
	return d
}

var percentForm = regexp.MustCompile(`\A([0-9]{1,3})(?:\.([0-9]{1,2}))?\z`)

// percent parses "1.5" as 150 hundredths.
func (r *reader) percent(n *yaml.Node, what string) int64 {
	value, ok := r.scalar(n, what)
	if !ok {
		return 0
	}
	parts := percentForm.FindStringSubmatch(value)
	if parts == nil {
		r.fail(n, "%s: expected a percentage like \"1.5\", with at most two decimals", what)
		return 0
	}
	points, _ := strconv.ParseInt(parts[1]+(parts[2] + "00")[:2], 10, 64)
	if points == 0 || points > 10_000 {
		r.fail(n, "%s: expected a percentage above 0 and up to 100", what)
		return 0
	}
	return points
}

// plain refuses what would make a file ambiguous: anchors, aliases, merged
// mappings, custom tags.
func (r *reader) plain(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.fail(n, "anchors and aliases are not used here; write the value out")
	case n.Tag != "" && !strings.HasPrefix(n.Tag, "!!"), n.Tag == "!!merge", n.Tag == "!!binary":
		r.fail(n, "tag %s is not used here", n.Tag)
	}
	for _, child := range n.Content {
		r.plain(child)
	}
}
