package ussd

import (
	"strconv"

	"elsom/internal/customer"
	"elsom/internal/inn"
	"elsom/internal/input"
	"elsom/internal/phone"
)

// Step is a place in the menu.
type Step string

// The places. What each shows stands in screen.go.
const (
	stepOver Step = "over" // the dialogue has ended

	stepLanguage Step = "language"
	stepRegister Step = "register"
	stepName     Step = "name"
	stepINN      Step = "inn"
	stepConfirm  Step = "confirm"
	stepOffer    Step = "offer"

	stepMain       Step = "main"
	stepPay        Step = "pay"
	stepCategories Step = "categories"
	stepServices   Step = "services"
	stepAccount    Step = "account"
	stepAmount     Step = "amount"
	stepCheck      Step = "check"

	stepReceiver       Step = "receiver"
	stepTransferAmount Step = "transfer_amount"
	stepTransfer       Step = "transfer"

	stepSettings   Step = "settings"
	stepBalance    Step = "balance"
	stepTongue     Step = "tongue"
	stepOldPIN     Step = "old_pin"
	stepNewPIN     Step = "new_pin"
	stepAgainPIN   Step = "again_pin"
	stepLookPIN    Step = "look_pin"
	stepOperations Step = "operations"
)

// Act is what an input asks the house to do. The menu itself does nothing.
type Act string

// The acts.
const (
	actNone          Act = ""
	actCheckName     Act = "check name"
	actRegister      Act = "register"
	actQuote         Act = "quote"
	actPay           Act = "pay"
	actQuoteTransfer Act = "quote transfer"
	actTransfer      Act = "transfer"
	actBalance       Act = "balance"
	actTongue        Act = "language"
	actProvePIN      Act = "prove PIN"
	actJudgePIN      Act = "judge PIN"
	actChangePIN     Act = "change PIN"
	actOperations    Act = "operations"
	actResendPIN     Act = "resend PIN"
)

// Shelf is what the catalogue offers at a step, in the dialogue's language.
type Shelf struct {
	Items []Item
	// Service is the name of the chosen service, Label that of its field.
	Service, Label string
	// INN: what is typed there is an ИНН.
	INN bool
	// Identify reads what is typed there; see catalog.Service.
	Identify func(text string) (string, error)
}

// Caller is who dials.
type Caller struct {
	// Reaches: the carrier's phones reach *900#.
	Reaches  bool
	Customer int64 // 0: no wallet yet
	Lang     string
	Blocked  bool
	// Closed: the last wallet of the number was closed, and there is no other.
	Closed bool
	HasPIN bool
	Resend bool
}

// Numbers that mean the same in every menu.
const (
	numberBack = "0"
	numberMore = "99"
)

// Languages by their numbers.
var languages = map[string]string{"1": "ky", "2": "ru", "3": "en"}

// Start is the first state of a dialogue.
func Start(c Caller) State {
	switch s := (State{Customer: c.Customer, Lang: c.Lang, Resend: c.Resend}); {
	case !c.Reaches:
		return s.over(word("ussd.end.carrier"))
	case c.Customer == 0:
		s.Lang, s.Step = "ru", stepLanguage
		if c.Closed {
			s.Word = word("ussd.word.closed")
		}
		return s
	case c.Blocked:
		return s.over(word("ussd.end.blocked"))
	case !c.HasPIN:
		return s.over(word("ussd.end.no_pin"))
	default:
		s.Step = stepMain
		return s
	}
}

// Hear takes an input. Where the answer needs the house, the act says what is
// to be done; Done takes its outcome. The input itself is in no state.
func (s State) Hear(typed string, shelf Shelf) (State, Act) {
	input := input.Clean(typed)
	s.Word = Word{}
	if s.Step == stepOver {
		return s, actNone
	}
	if input == numberBack {
		if back, ok := s.back(); ok {
			return back, actNone
		}
		return s.wrong(), actNone
	}
	if len(input) > maxInput {
		return s.wrong(), actNone
	}
	switch s.Step {
	case stepLanguage, stepRegister, stepName, stepINN, stepConfirm, stepOffer:
		return s.hearRegistration(input)
	case stepMain, stepPay, stepSettings, stepTongue:
		return s.hearMenu(input)
	case stepCategories, stepServices:
		return s.hearList(input, shelf), actNone
	case stepOperations:
		if input == numberMore && s.moreOperations() {
			s.Page++
			return s, actNone
		}
		return s.wrong(), actNone
	}
	return s.hearTyped(input, shelf)
}

// maxInput is longer than anything that can be meant, in bytes.
const maxInput = 400

func (s State) hearRegistration(input string) (State, Act) {
	switch s.Step {
	case stepLanguage:
		if lang, ok := languages[input]; ok {
			s.Lang = lang
			return s.to(stepRegister), actNone
		}
	case stepRegister:
		if input == "1" {
			return s.to(stepName), actNone
		}
	case stepName:
		s.Name = input
		return s, actCheckName
	case stepINN:
		number, err := inn.Parse(input)
		if err != nil {
			return s.say(word("ussd.word.inn")), actNone
		}
		s.INN = number.String()
		return s.to(stepConfirm), actNone
	case stepConfirm:
		if input == "1" {
			s.Offer = customer.OfferVersion
			return s.to(stepOffer), actNone
		}
	case stepOffer:
		if input == "1" {
			return s, actRegister
		}
	}
	return s.wrong(), actNone
}

func (s State) hearMenu(input string) (State, Act) {
	if s.Step == stepTongue {
		if lang, ok := languages[input]; ok {
			s.Lang = lang
			return s, actTongue
		}
		return s.wrong(), actNone
	}
	for _, choice := range s.choices() {
		if strconv.Itoa(choice.number) == input {
			if choice.act != actNone {
				return s, choice.act
			}
			return s.to(choice.step), actNone
		}
	}
	return s.wrong(), actNone
}

// choice is a fixed line of a menu.
type choice struct {
	number int
	key    string
	step   Step
	act    Act
}

// choices are the lines of the menus that don't come from the catalogue.
func (s State) choices() []choice {
	switch s.Step {
	case stepMain:
		return []choice{
			{1, "ussd.menu.transfer", stepReceiver, actNone},
			{3, "ussd.menu.payments", stepPay, actNone},
			{8, "ussd.menu.settings", stepSettings, actNone},
		}
	case stepPay:
		return []choice{{3, "ussd.menu.bill", stepCategories, actNone}}
	case stepSettings:
		list := []choice{
			{1, "ussd.menu.balance", stepBalance, actNone},
			{2, "ussd.menu.language", stepTongue, actNone},
			{3, "ussd.menu.change_pin", stepOldPIN, actNone},
			{4, "ussd.menu.operations", stepLookPIN, actNone},
		}
		if s.Resend {
			list = append(list, choice{5, "ussd.menu.resend_pin", "", actResendPIN})
		}
		return list
	}
	return nil
}

func (s State) hearList(input string, shelf Shelf) State {
	if input == numberMore {
		if pages := s.pages(shelf); s.Page+1 < len(pages) {
			s.Page++
			return s
		}
		return s.wrong()
	}
	for _, item := range shelf.Items {
		if strconv.Itoa(item.Number) != input {
			continue
		}
		if s.Step == stepCategories {
			s.Category = item.Code
			return s.to(stepServices)
		}
		s.Service = item.Code
		return s.to(stepAccount)
	}
	return s.wrong()
}

// hearTyped takes what is typed freely: numbers, sums, PINs.
func (s State) hearTyped(input string, shelf Shelf) (State, Act) {
	switch s.Step {
	case stepAccount:
		account, err := shelf.Identify(input)
		if err != nil {
			return s.say(wordOf(err)), actNone
		}
		s.Account = account
		return s.to(stepAmount), actNone
	case stepAmount:
		return s, actQuote
	case stepCheck:
		return s, actPay
	case stepReceiver:
		if _, err := phone.Parse(input); err != nil {
			return s.say(word("ussd.word.phone")), actNone
		}
		s.Receiver = input
		return s.to(stepTransferAmount), actNone
	case stepTransferAmount:
		return s, actQuoteTransfer
	case stepTransfer:
		return s, actTransfer
	case stepBalance:
		return s, actBalance
	case stepLookPIN:
		return s, actOperations
	case stepOldPIN:
		return s, actProvePIN
	case stepNewPIN:
		return s, actJudgePIN
	case stepAgainPIN:
		return s, actChangePIN
	}
	return s.wrong(), actNone
}

// backs leads each place to the one before it.
var backs = map[Step]Step{
	stepRegister: stepLanguage, stepName: stepRegister, stepINN: stepName, stepConfirm: stepName, stepOffer: stepConfirm,
	stepPay: stepMain, stepCategories: stepPay, stepServices: stepCategories, stepAccount: stepServices,
	stepAmount: stepAccount, stepCheck: stepAmount,
	stepReceiver: stepMain, stepTransferAmount: stepReceiver, stepTransfer: stepTransferAmount,
	stepSettings: stepMain, stepBalance: stepSettings, stepTongue: stepSettings, stepOldPIN: stepSettings,
	stepNewPIN: stepSettings, stepAgainPIN: stepNewPIN, stepLookPIN: stepSettings, stepOperations: stepSettings,
}

func (s State) back() (State, bool) {
	if s.Page > 0 {
		s.Page--
		return s, true
	}
	before, ok := backs[s.Step]
	if !ok {
		return s, false
	}
	return s.to(before), true
}

func (s State) to(step Step) State {
	s.Step, s.Page = step, 0
	return s
}

func (s State) say(w Word) State {
	s.Word = w
	return s
}

func (s State) wrong() State { return s.say(word("ussd.word.choice")) }

// over ends the dialogue with words. Nothing else is kept of it.
func (s State) over(w Word) State {
	return State{Step: stepOver, Lang: s.Lang, Customer: s.Customer, Word: w}
}

// word makes a word of a key and pairs of an argument's name and text.
func word(key string, args ...string) Word {
	w := Word{Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if w.Args == nil {
			w.Args = map[string]string{}
		}
		w.Args[args[i]] = args[i+1]
	}
	return w
}
