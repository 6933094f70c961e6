package component

import (
	"strings"

	"elsom/internal/i18n"
)

// Field is one field of a form.
type Field struct {
	// Name is the field's name in the request, and its id.
	Name, Label, Hint string
	// Type is the input's type; empty: text.
	Type string
	// Mode is the inputmode, which selects the keypad on phones: "numeric", "decimal",
	// "tel", "email".
	Mode         string
	Autocomplete string
	Input        Input
	// Suffix is shown after the value: "сом".
	Suffix string
	// Style is "big" for amounts, "code" for SMS codes, "digits" for identifiers.
	Style string
	// MaxLength bounds the input; 0: the general bound. Passwords without one and
	// e-mail addresses are not bounded: a browser would cut pasted text, and the cut
	// text would be stored. The server refuses long ones with a message.
	MaxLength int
	// Focus puts the cursor into the field when the page opens.
	Focus bool
	// Lang is the language of the show and hide button of passwords.
	Lang i18n.Lang
}

const generalMaxLength = 128

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// length returns the bound of the input; 0: none.
func (f Field) length() int {
	switch {
	case f.MaxLength > 0:
		return f.MaxLength
	//mutant:replace password", f.Type == " => ./web TestLongPasswordIsNotCut
	case f.Type == "password", f.Type == "email":
		return 0
	}
	return generalMaxLength
}

// shown returns the value to render; never a password's.
func (f Field) shown() string {
	if f.Type == "password" {
		return ""
	}
	return f.Input.Value
}

// describedBy returns the ids of the elements that describe the field, the error
// first.
func describedBy(name string, hasError, hasHint bool) string {
	var ids []string
	if hasError {
		ids = append(ids, name+"-error")
	}
	if hasHint {
		ids = append(ids, name+"-hint")
	}
	return strings.Join(ids, " ")
}

func (f Field) describedBy() string {
	return describedBy(f.Name, f.Input.Error != "", f.Hint != "")
}
