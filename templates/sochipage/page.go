// Package sochipage renders the pages of sochi, the stand-in for DosTek's side. They
// look plainer than the portal's on purpose; the text is Russian only.
//
// The pages work without scripts and contain no decisions.
package sochipage

import (
	"strconv"
	"time"

	"elsom/internal/money"
	"elsom/templates/component"
)

// Style is the address of the style sheet with the rules that only these pages
// need.
const Style = "/sochi.css"

// Payment is one line of a list of payments.
type Payment struct {
	At      time.Time
	Service string
	TxnID   string
	Account string
	// Name is the account's holder; empty: none.
	Name string
	// Href is the account's page; empty: none.
	Href string
	Sum  money.Amount
	// Result is the OSMP result code, Comment its text.
	Result  int
	Comment string
}

// Title returns the receiver of the payment.
func (p Payment) Title() string {
	if p.Name == "" {
		return "Неизвестный счёт"
	}
	return p.Name
}

// Choice is one item of a select.
type Choice struct {
	Value, Label string
	Selected     bool
}

// ActiveSwitch is one active fault switch.
type ActiveSwitch struct {
	Service, Command, Mode string
	// Detail is the selected result or the seconds; empty: none.
	Detail string
	// Left is the number of requests that it still applies to; 0: until reset.
	Left int
}

// Text describes the switch in one line.
func (s ActiveSwitch) Text() string {
	text := s.Service + ", " + s.Command + ": " + s.Mode
	if s.Detail != "" {
		text += " (" + s.Detail + ")"
	}
	if s.Left == 0 {
		return text + " — до сброса"
	}
	return text + " — ещё запросов: " + strconv.Itoa(s.Left)
}

// Switches is the form that injects faults, and the active switches.
type Switches struct {
	Set                                 []ActiveSwitch
	Services, Commands, Modes, Refusals []Choice
	Seconds, Times                      component.Input
}

// Provider is one OSMP address.
type Provider struct{ Title, Path string }

// Front is the front page.
type Front struct {
	Search    component.Input
	Providers []Provider
	Payments  []Payment
	Switches  Switches
	// Problem is the error of the switches' form; empty: none.
	Problem string
}

// problems returns the errors in the order of the page.
func (f Front) problems() []component.Problem {
	list := component.Problems("",
		component.Named{Name: "inn", Input: f.Search},
		component.Named{Name: "seconds", Input: f.Switches.Seconds},
		component.Named{Name: "times", Input: f.Switches.Times})
	if f.Problem != "" {
		list = append(list, component.Problem{ID: "mode", Text: f.Problem})
	}
	return list
}

// Account is the page of a company or a subscriber.
type Account struct {
	// Service is the biller's name, Label the name of its account identifiers.
	Service, Label string
	// Shown is the account's number in readable form.
	Shown    string
	Name     string
	Balance  money.Amount
	Payments []Payment
}

// Fail is the page of an error.
type Fail struct{ Title, Text string }
