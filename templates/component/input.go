// Package component has the parts that pages are made of: amount, field, error
// summary, notice, icons, logo.
//
// The markup works with a keyboard and a screen reader and has no inline style or
// script. The package contains no decisions.
package component

import (
	"slices"

	"elsom/internal/i18n"
)

// Input is the value of one field and its error. Templates never render the value
// of a password.
type Input struct {
	// Value is the text as typed; "on" for a ticked checkbox.
	Value string
	// Error is the message for the user; empty: none.
	Error string
}

// Problem is one line of the error summary.
type Problem struct {
	// ID is the field's id (and name); empty: the error belongs to no field.
	ID string
	// Text is the message, as shown at the field.
	Text string
}

// Link is a link below the error summary.
type Link struct{ Href, Text string }

// Named is an input with its field name.
type Named struct {
	Name  string
	Input Input
}

// Problems returns the general message, if any, and the errors of the inputs in the
// order given.
func Problems(general string, inputs ...Named) []Problem {
	var list []Problem
	if general != "" {
		list = append(list, Problem{Text: general})
	}
	for _, in := range inputs {
		if in.Input.Error != "" {
			list = append(list, Problem{ID: in.Name, Text: in.Input.Error})
		}
	}
	return list
}

// summaryTitle returns the heading of the error summary: something to check in a field,
// or a failure of the page.
func summaryTitle(l i18n.Lang, problems []Problem) string {
	if slices.ContainsFunc(problems, func(p Problem) bool { return p.ID != "" }) {
		return l.T("component.problems")
	}
	return l.T("component.failed")
}
