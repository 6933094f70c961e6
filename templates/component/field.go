package component

import (
	"strings"

	"elsom/internal/i18n"
)

// Field is one field of a form as it is drawn.
type Field struct {
	// Name is the field's name in the post, and its id.
	Name, Label, Hint string
	// Type is the input's type; empty: text.
	Type string
	// Mode is the keypad that a phone should open: "numeric", "decimal", "tel", "email".
	Mode         string
	Autocomplete string
	Input        Input
	// Suffix stands behind the value: "сом".
	Suffix string
	// Style is "big" for amounts, "code" for SMS codes, "digits" for identifiers.
	Style string
	// MaxLength bounds the typing; 0: the general bound. A password without one
	// and an e-mail address have none: a browser would cut what is pasted, and
	// something else than was meant would be stored. The server refuses them
	// with words.
	MaxLength int
	// Focus puts the cursor here when the page opens.
	Focus bool
	// Lang is for the words of the show and hide button of passwords.
	Lang i18n.Lang
}

const generalMaxLength = 128

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// length is the bound of the typing; 0: none.
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

// shown is the value to print; a password's never is.
func (f Field) shown() string {
	if f.Type == "password" {
		return ""
	}
	return f.Input.Value
}

// describedBy lists the ids of what explains the field, the error first.
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
