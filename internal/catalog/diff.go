package catalog

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// diff lists the differences between two catalogs, one line each. It compares the
// entries in their YAML form, so that no field can be forgotten.
func diff(from, to Contents) []string {
	var lines []string
	if from.DefaultLevel != to.DefaultLevel {
		lines = append(lines, "default_level: "+cmp.Or(from.DefaultLevel, none)+" → "+to.DefaultLevel)
	}
	before, after := sections(from), sections(to)
	for i, s := range after {
		if changed := s.since(before[i]); len(changed) > 0 {
			lines = append(append(lines, s.name+":"), changed...)
		}
	}
	return lines
}

// emptied lists the sections that lose all their entries.
func emptied(from, to Contents) []string {
	var lists []string
	before := sections(from)
	for i, s := range sections(to) {
		if len(s.codes) == 0 && len(before[i].codes) > 0 {
			lists = append(lists, s.name)
		}
	}
	return lists
}

// section is one list of a catalog file.
type section struct {
	name    string
	codes   []string
	entries map[string]*yaml.Node
}

func sections(contents Contents) []section {
	var list []section
	content := rootNode(contents).Content
	for i := 0; i < len(content); i += 2 {
		s := section{name: content[i].Value, entries: map[string]*yaml.Node{}}
		if content[i+1].Kind != yaml.SequenceNode {
			continue // the version, the default level
		}
		for _, entry := range content[i+1].Content {
			code := field(entry, "code").Value
			s.codes = append(s.codes, code)
			s.entries[code] = entry
		}
		list = append(list, s)
	}
	return list
}

// since lists what was added, changed, removed and moved.
func (s section) since(before section) []string {
	var lines []string
	for _, code := range s.codes {
		old, entry := before.entries[code], s.entries[code]
		if old == nil {
			lines = append(lines, "  + "+code)
			for i := 2; i < len(entry.Content); i += 2 { // behind the code
				lines = append(lines, "      "+entry.Content[i].Value+": "+inline(entry.Content[i+1]))
			}
		} else if changed := fieldChanges("", old, entry); len(changed) > 0 {
			lines = append(append(lines, "  ~ "+code), changed...)
		}
	}
	gone := func(code string) bool { return s.entries[code] == nil }
	for _, code := range before.codes {
		if gone(code) {
			lines = append(lines, "  - "+code)
		}
	}
	// Billers have no order.
	stay := slices.DeleteFunc(slices.Clone(before.codes), gone)
	now := slices.DeleteFunc(slices.Clone(s.codes), func(code string) bool { return before.entries[code] == nil })
	if s.name != "billers" && !slices.Equal(stay, now) {
		lines = append(lines, "  order: "+strings.Join(s.codes, ", "))
	}
	return lines
}

// fieldChanges lists the fields that differ, into the fields of fields.
func fieldChanges(path string, before, after *yaml.Node) []string {
	if before != nil && after != nil && before.Kind == yaml.MappingNode && after.Kind == yaml.MappingNode {
		var lines []string
		for _, name := range fieldNames(before, after) {
			lines = append(lines, fieldChanges(strings.TrimPrefix(path+"."+name, "."), field(before, name), field(after, name))...)
		}
		return lines
	}
	was, is := inline(before), inline(after)
	if was == is {
		return nil
	}
	return []string{"      " + path + ": " + was + " → " + is}
}

// fieldNames lists the names of the fields of two mappings.
func fieldNames(a, b *yaml.Node) []string {
	var names []string
	for _, n := range []*yaml.Node{a, b} {
		for i := 0; i < len(n.Content); i += 2 {
			if !slices.Contains(names, n.Content[i].Value) {
				names = append(names, n.Content[i].Value)
			}
		}
	}
	return names
}

func field(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// inline formats a value on one line; a missing field as none.
func inline(n *yaml.Node) string {
	if n == nil {
		return none
	}
	switch n.Kind {
	case yaml.MappingNode:
		parts := make([]string, 0, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+inline(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, child := range n.Content {
			parts[i] = inline(child)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if n.Style == yaml.DoubleQuotedStyle {
		return `"` + n.Value + `"`
	}
	return n.Value
}
