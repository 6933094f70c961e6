// Package sochipage holds the pages of the stand-in for DosTek's side. They are
// not the wallet's and look plainer on purpose; the text is Russian only.
//
// It promises pages that work without scripts. It decides nothing.
package sochipage

import (
	"strconv"
	"time"

	"elsom/internal/money"
	"elsom/templates/component"
)

// Style is where the pages expect the few rules that the wallet's own style
// has no need of.
const Style = "/sochi.css"

// Payment is one line of a list of payments.
type Payment struct {
	At      time.Time
	Service string
	TxnID   string
	Account string
	// Name is the account's holder; empty: the account has none.
	Name string
	// Href leads to the account's page; empty: the account has none.
	Href string
	Sum  money.Amount
	// Result is the protocol's number, Comment its words.
	Result  int
	Comment string
}

// Title is whom the payment was for.
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

// Lever is one switch that is set.
type Lever struct {
	Service, Command, Mode string
	// Detail is the chosen result or the seconds; empty: neither matters.
	Detail string
	// Left is how many requests it holds for; 0: until reset.
	Left int
}

// Words tells the whole switch in a line.
func (l Lever) Words() string {
	words := l.Service + ", " + l.Command + ": " + l.Mode
	if l.Detail != "" {
		words += " (" + l.Detail + ")"
	}
	if l.Left == 0 {
		return words + " — до сброса"
	}
	return words + " — ещё запросов: " + strconv.Itoa(l.Left)
}

// Switches is the form of misbehaviour and what is set now.
type Switches struct {
	Set                                 []Lever
	Services, Commands, Modes, Refusals []Choice
	Seconds, Times                      component.Input
}

// Provider is one address that answers the payment protocol.
type Provider struct{ Title, Path string }

// Front is the front page.
type Front struct {
	Search    component.Input
	Providers []Provider
	Payments  []Payment
	Switches  Switches
	// Problem is what was wrong with the switches' choices; empty: nothing.
	Problem string
}

// problems lists them in the order of the page.
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
	// Service is the biller's name, Label what the account is called there.
	Service, Label string
	// Shown is the account's number as people read it.
	Shown    string
	Name     string
	Balance  money.Amount
	Payments []Payment
}

// Fail is a page that isn't there or can't be shown.
type Fail struct{ Title, Text string }
