// Package component holds the parts that pages are laid of: amount, field,
// error summary, notice, icons, the ornament.
//
// It promises marks that a keyboard and a screen reader can follow, and no
// style or script of its own in the page. It decides nothing.
package component

// Input is what a person typed into one field and what is wrong with it.
// A password's Value is never given back: templates print none.
type Input struct {
	// Value is the text as it was typed; a checkbox has "on" when ticked.
	Value string
	// Error says in words what is wrong and how to mend it; empty: nothing.
	Error string
}

// Problem is one line of the error summary.
type Problem struct {
	// ID is the field's id, which its name is too; empty: the whole act.
	ID string
	// Text is the same words as stand at the field.
	Text string
}

// Way is a link that leads on from a problem.
type Way struct{ Href, Text string }

// Named is an input with its field name.
type Named struct {
	Name  string
	Input Input
}

// Problems lists what is wrong with the inputs, in the order of the page,
// behind the words about the whole act where there are any.
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
