package ussd

import (
	"strconv"

	"elsom/internal/customer"
	"elsom/internal/i18n"
	"elsom/internal/inn"
	"elsom/internal/input"
	"elsom/internal/phone"
)

// Step is a step of the menu.
type Step string

// The steps. Their screens are in screen.go.
const (
	stepEnd Step = "over" // the session is over

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

	stepSettings      Step = "settings"
	stepBalance       Step = "balance"
	stepSetLanguage   Step = "tongue"
	stepOldPIN        Step = "old_pin"
	stepNewPIN        Step = "new_pin"
	stepRepeatPIN     Step = "again_pin"
	stepOperationsPIN Step = "look_pin"
	stepOperations    Step = "operations"
)

// Op is an operation that an input asks for. The menu itself has no effects.
type Op string

// The operations.
const (
	opNone           Op = ""
	opCheckName      Op = "check name"
	opRegister       Op = "register"
	opQuote          Op = "quote"
	opPay            Op = "pay"
	opQuoteTransfer  Op = "quote transfer"
	opTransfer       Op = "transfer"
	opBalance        Op = "balance"
	opSetLanguage    Op = "language"
	opProvePIN       Op = "prove PIN"
	opCheckNewPIN    Op = "check new PIN"
	opChangePIN      Op = "change PIN"
	opListOperations Op = "operations"
	opResendPIN      Op = "resend PIN"
)

// Listing is what the catalog offers at a step, in the session's language.
type Listing struct {
	Items []Item
	// Service is the name of the chosen service, Label that of its field.
	Service, Label string
	// INN reports that the field takes an ИНН.
	INN bool
	// Identify parses the field; see catalog.Service.
	Identify func(text string) (string, error)
}

// Caller is the state of the caller's number.
type Caller struct {
	// USSD reports that the number's carrier offers *900#.
	USSD     bool
	Customer int64 // 0: no wallet yet
	Lang     string
	Blocked  bool
	// Closed reports that the number's last wallet was closed and it has no other.
	Closed bool
	HasPIN bool
	Resend bool // see State.Resend
}

// Numbers that mean the same in every menu.
const (
	numberBack = "0"
	numberMore = "99"
)

// languages maps the numbers of the language menu to language codes.
var languages = func() map[string]string {
	codes := map[string]string{}
	for i, lang := range i18n.Langs() {
		codes[strconv.Itoa(i+1)] = string(lang)
	}
	return codes
}()

// Start returns the first state of a session.
func Start(c Caller) State {
	switch s := (State{Customer: c.Customer, Lang: c.Lang, Resend: c.Resend}); {
	case !c.USSD:
		return s.end(message("ussd.end.carrier"))
	case c.Customer == 0:
		s.Lang, s.Step = "ru", stepLanguage
		if c.Closed {
			s.Message = message("ussd.word.closed")
		}
		return s
	case c.Blocked:
		return s.end(message("ussd.end.blocked"))
	case !c.HasPIN:
		return s.end(message("ussd.end.no_pin"))
	default:
		s.Step = stepMain
		return s
	}
}

// Next applies an input. If the answer needs an operation, it is returned, and its
// outcome is passed to Finish. The input itself is never part of the state.
func (s State) Next(typed string, listing Listing) (State, Op) {
	text := input.Clean(typed)
	s.Message = Message{}
	if s.Step == stepEnd {
		return s, opNone
	}
	if text == numberBack {
		if back, ok := s.back(); ok {
			return back, opNone
		}
		return s.wrong(), opNone
	}
	if len(text) > maxInput {
		return s.wrong(), opNone
	}
	switch s.Step {
	case stepLanguage, stepRegister, stepName, stepINN, stepConfirm, stepOffer:
		return s.nextRegistration(text)
	case stepMain, stepPay, stepSettings, stepSetLanguage:
		return s.nextMenu(text)
	case stepCategories, stepServices:
		return s.nextList(text, listing), opNone
	case stepOperations:
		if text == numberMore && s.moreOperations() {
			s.Page++
			return s, opNone
		}
		return s.wrong(), opNone
	}
	return s.nextTyped(text, listing)
}

// maxInput is the limit of an input in bytes; no field needs more.
const maxInput = 400

func (s State) nextRegistration(input string) (State, Op) {
	switch s.Step {
	case stepLanguage:
		if lang, ok := languages[input]; ok {
			s.Lang = lang
			return s.to(stepRegister), opNone
		}
	case stepRegister:
		if input == "1" {
			return s.to(stepName), opNone
		}
	case stepName:
		s.Name = input
		return s, opCheckName
	case stepINN:
		number, err := inn.Parse(input)
		if err != nil {
			return s.with(message("ussd.word.inn")), opNone
		}
		s.INN = number.String()
		return s.to(stepConfirm), opNone
	case stepConfirm:
		if input == "1" {
			s.Offer = customer.OfferVersion
			return s.to(stepOffer), opNone
		}
	case stepOffer:
		if input == "1" {
			return s, opRegister
		}
	}
	return s.wrong(), opNone
}

func (s State) nextMenu(input string) (State, Op) {
	if s.Step == stepSetLanguage {
		if lang, ok := languages[input]; ok {
			s.Lang = lang
			return s, opSetLanguage
		}
		return s.wrong(), opNone
	}
	for _, choice := range s.choices() {
		if strconv.Itoa(choice.number) == input {
			if choice.op != opNone {
				return s, choice.op
			}
			return s.to(choice.step), opNone
		}
	}
	return s.wrong(), opNone
}

// choice is a fixed line of a menu.
type choice struct {
	number int
	key    string
	step   Step
	op     Op
}

// choices returns the fixed lines of the current menu.
func (s State) choices() []choice {
	switch s.Step {
	case stepMain:
		return []choice{
			{1, "ussd.menu.transfer", stepReceiver, opNone},
			{3, "ussd.menu.payments", stepPay, opNone},
			{8, "ussd.menu.settings", stepSettings, opNone},
		}
	case stepPay:
		return []choice{{3, "ussd.menu.bill", stepCategories, opNone}}
	case stepSettings:
		list := []choice{
			{1, "ussd.menu.balance", stepBalance, opNone},
			{2, "ussd.menu.language", stepSetLanguage, opNone},
			{3, "ussd.menu.change_pin", stepOldPIN, opNone},
			{4, "ussd.menu.operations", stepOperationsPIN, opNone},
		}
		if s.Resend {
			list = append(list, choice{5, "ussd.menu.resend_pin", "", opResendPIN})
		}
		return list
	}
	return nil
}

func (s State) nextList(input string, listing Listing) State {
	if input == numberMore {
		if pages := s.pages(listing); s.Page+1 < len(pages) {
			s.Page++
			return s
		}
		return s.wrong()
	}
	for _, item := range listing.Items {
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

// nextTyped applies free input: numbers, amounts, PINs.
func (s State) nextTyped(input string, listing Listing) (State, Op) {
	switch s.Step {
	case stepAccount:
		account, err := listing.Identify(input)
		if err != nil {
			return s.with(retryMessage(err)), opNone
		}
		s.Account = account
		return s.to(stepAmount), opNone
	case stepAmount:
		return s, opQuote
	case stepCheck:
		return s, opPay
	case stepReceiver:
		if _, err := phone.Parse(input); err != nil {
			return s.with(message("ussd.word.phone")), opNone
		}
		s.Receiver = input
		return s.to(stepTransferAmount), opNone
	case stepTransferAmount:
		return s, opQuoteTransfer
	case stepTransfer:
		return s, opTransfer
	case stepBalance:
		return s, opBalance
	case stepOperationsPIN:
		return s, opListOperations
	case stepOldPIN:
		return s, opProvePIN
	case stepNewPIN:
		return s, opCheckNewPIN
	case stepRepeatPIN:
		return s, opChangePIN
	}
	return s.wrong(), opNone
}

// previousStep is the step that 0 returns to.
var previousStep = map[Step]Step{
	stepRegister: stepLanguage, stepName: stepRegister, stepINN: stepName, stepConfirm: stepName, stepOffer: stepConfirm,
	stepPay: stepMain, stepCategories: stepPay, stepServices: stepCategories, stepAccount: stepServices,
	stepAmount: stepAccount, stepCheck: stepAmount,
	stepReceiver: stepMain, stepTransferAmount: stepReceiver, stepTransfer: stepTransferAmount,
	stepSettings: stepMain, stepBalance: stepSettings, stepSetLanguage: stepSettings, stepOldPIN: stepSettings,
	stepNewPIN: stepSettings, stepRepeatPIN: stepNewPIN, stepOperationsPIN: stepSettings, stepOperations: stepSettings,
}

func (s State) back() (State, bool) {
	if s.Page > 0 {
		s.Page--
		return s, true
	}
	before, ok := previousStep[s.Step]
	if !ok {
		return s, false
	}
	return s.to(before), true
}

func (s State) to(step Step) State {
	s.Step, s.Page = step, 0
	return s
}

func (s State) with(m Message) State {
	s.Message = m
	return s
}

func (s State) wrong() State { return s.with(message("ussd.word.choice")) }

// end ends the session with a message. Nothing else of the state is stored.
func (s State) end(m Message) State {
	return State{Step: stepEnd, Lang: s.Lang, Customer: s.Customer, Message: m}
}

// message returns a message from its key and pairs of argument name and text.
func message(key string, args ...string) Message {
	m := Message{Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if m.Args == nil {
			m.Args = map[string]string{}
		}
		m.Args[args[i]] = args[i+1]
	}
	return m
}
