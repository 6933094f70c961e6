package catalog

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"elsom/internal/money"
)

//go:embed catalog.yaml
var initial []byte

// versionRemark is the comment above a file's version.
const versionRemark = "# The version that was exported. `elsom catalog import` refuses the file if the\n" +
	"# catalog has changed since: the import would undo that change."

// rootNode returns the YAML of a catalog. Retired entries are left out.
func rootNode(contents Contents) *yaml.Node {
	var version *yaml.Node
	if contents.Version > 0 {
		version = plainNode(strconv.FormatInt(contents.Version, 10))
	}
	var byDefault *yaml.Node
	if contents.DefaultLevel != "" {
		byDefault = codeNode(contents.DefaultLevel)
	}
	return mapping(
		"version", version,
		"categories", sequence(contents.Categories, categoryNode),
		"billers", sequence(contents.Billers, billerNode),
		"services", sequence(contents.Services, serviceNode),
		"default_level", byDefault,
		"levels", sequence(contents.Levels, levelNode),
		"carriers", sequence(contents.Carriers, carrierNode),
	)
}

// writeFile is the opposite of readFile. The comments on the format are copied
// from the embedded file.
func writeFile(contents Contents) ([]byte, error) {
	root := rootNode(contents)
	var own yaml.Node
	if err := yaml.Unmarshal(initial, &own); err != nil {
		return nil, err
	}
	remarks := map[string]string{"version": versionRemark}
	for i := 0; i < len(own.Content[0].Content); i += 2 {
		key := own.Content[0].Content[i]
		remarks[key.Value] = key.HeadComment
	}
	for i := 0; i < len(root.Content); i += 2 {
		root.Content[i].HeadComment = remarks[root.Content[i].Value]
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(&yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}); err != nil {
		return nil, err
	}
	return b.Bytes(), encoder.Close()
}

// mapping makes one of key, value, key, value …; a nil value is left out.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for len(pairs) >= 2 {
		if value := pairs[1].(*yaml.Node); value != nil {
			n.Content = append(n.Content, plainNode(pairs[0].(string)), value)
		}
		pairs = pairs[2:]
	}
	return n
}

func flow(n *yaml.Node) *yaml.Node { n.Style = yaml.FlowStyle; return n }

func plainNode(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }

// codeNode is a code, quoted only where YAML would take it for something else.
func codeNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func quotedNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value}
}

func sequence[T any](items []T, node func(T) *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range items {
		if child := node(item); child != nil {
			n.Content = append(n.Content, child)
		}
	}
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

func texts(values []string) *yaml.Node {
	if len(values) == 0 {
		return nil
	}
	return flow(sequence(values, quotedNode))
}

func translationsNode(w Text) *yaml.Node {
	return flow(mapping("ky", quotedNode(w.KY), "ru", quotedNode(w.RU), "en", quotedNode(w.EN)))
}

func ussdNode(number int, w Text) *yaml.Node {
	if number == 0 {
		return nil
	}
	return flow(mapping("number", plainNode(strconv.Itoa(number)), "ky", quotedNode(w.KY), "ru", quotedNode(w.RU), "en", quotedNode(w.EN)))
}

func amountNode(a money.Amount) *yaml.Node {
	if a == 0 {
		return plainNode(none)
	}
	return quotedNode(a.Dot())
}

func categoryNode(c Category) *yaml.Node {
	if c.Retired {
		return nil
	}
	return mapping("code", codeNode(c.Code), "name", translationsNode(c.Name), "ussd", ussdNode(c.USSDNumber, c.USSDName))
}

func billerNode(b Biller) *yaml.Node {
	if b.Retired {
		return nil
	}
	return mapping(
		"code", codeNode(b.Code), "name", quotedNode(b.Name), "url", quotedNode(b.URL),
		"answers_stored_outcome", plainNode(strconv.FormatBool(b.AnswersStoredOutcome)),
		"deadline", plainNode(shortDuration(b.Deadline)),
	)
}

func shortDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}

func serviceNode(s Service) *yaml.Node {
	if s.Retired {
		return nil
	}
	var pattern *yaml.Node
	if s.Pattern != "" {
		pattern = quotedNode(s.Pattern)
	}
	return mapping(
		"code", codeNode(s.Code), "category", codeNode(s.Category), "biller", codeNode(s.Biller),
		"name", translationsNode(s.Name), "label", translationsNode(s.Label), "hint", translationsNode(s.Hint),
		"identifier", plainNode(string(s.Identifier)), "pattern", pattern,
		"minimum", amountNode(s.Minimum), "maximum", amountNode(s.Maximum), "fee", feeNode(s.Fee),
		"ussd", ussdNode(s.USSDNumber, s.USSDName), "search", texts(s.Search),
	)
}

func feeNode(f Fee) *yaml.Node {
	if f.None() {
		return plainNode(none)
	}
	part := func(a money.Amount) *yaml.Node {
		if a == 0 {
			return nil
		}
		return quotedNode(a.Dot())
	}
	var percent *yaml.Node
	if f.BasisPoints > 0 {
		percent = quotedNode(fmt.Sprintf("%d.%02d", f.BasisPoints/100, f.BasisPoints%100))
	}
	return flow(mapping("percent", percent, "fixed", part(f.Fixed), "minimum", part(f.Minimum), "maximum", part(f.Maximum)))
}

func levelNode(l Level) *yaml.Node {
	if l.Retired {
		return nil
	}
	return mapping(
		"code", codeNode(l.Code), "balance", amountNode(l.Balance), "operation", amountNode(l.Operation),
		"day", amountNode(l.Day), "month", amountNode(l.Month), "confirm_above", amountNode(l.ConfirmAbove),
	)
}

func carrierNode(c Carrier) *yaml.Node {
	prefixes := flow(sequence(c.Prefixes, quotedNode))
	return mapping("code", codeNode(c.Code), "name", quotedNode(c.Name), "ussd", plainNode(strconv.FormatBool(c.USSD)), "prefixes", prefixes)
}
