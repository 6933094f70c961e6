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

// The steps. Their screens are in screen.go. The values are stored with a session and
// read by the release before and after, so they stay when a constant is renamed.
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
	stepCheck      Step = "check" // the draft of the payment; the input is the PIN

	stepReceiver       Step = "receiver"
	stepTransferAmount Step = "transfer_amount"
	stepTransfer       Step = "transfer" // the draft of the transfer; the input is the PIN

	stepSettings      Step = "settings"
	stepBalance       Step = "balance" // the input is the PIN
	stepSetLanguage   Step = "tongue"
	stepOldPIN        Step = "old_pin"
	stepNewPIN        Step = "new_pin"
	stepRepeatPIN     Step = "again_pin"
	stepOperationsPIN Step = "look_pin"   // the input is the PIN
	stepOperations    Step = "operations" // the list, after the PIN
)

// Op is an operation that an input asks for: Next returns it, Handler.runOp runs it.
// The menu itself has no effects.
type Op string

// The operations. Their values are for the log.
const (
	opNone           Op = ""
	opCheckName      Op = "check name"
	opRegister       Op = "register"
	opQuote          Op = "quote" // create the draft of a payment, with its fee
	opPay            Op = "pay"
	opQuoteTransfer  Op = "quote transfer" // the same for a transfer
	opTransfer       Op = "transfer"
	opBalance        Op = "balance"
	opSetLanguage    Op = "language"
	opProvePIN       Op = "prove PIN"
	opCheckNewPIN    Op = "check new PIN"
	opChangePIN      Op = "change PIN"
	opListOperations Op = "operations"
	opResendPIN      Op = "resend PIN"
)

// Listing is what the catalog offers at a step, in the session's language: Items at
// stepCategories and stepServices, the other fields at stepAccount.
type Listing struct {
	Items []Item
	// Service is the name of the chosen service, Label that of its account field.
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
	// Closed reports that the number has no wallet, but had one that was closed.
	Closed bool
	HasPIN bool
	Resend bool // see State.Resend
}

// Inputs with the same meaning at every step that offers them.
const (
	numberBack = "0"  // the page or step before
	numberMore = "99" // the next page of a list
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
		s.Lang, s.Step = string(i18n.RU), stepLanguage
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

// Next applies an input. If the answer needs an operation, it is returned and the
// step stays; Finish moves on after the outcome. A PIN is never part of the state: it
// goes from the input to the operation only.
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

// maxInput is the limit of an input in bytes. It is above a USSD string of 182
// characters, and no field needs more.
const maxInput = 400

func (s State) nextRegistration(text string) (State, Op) {
	switch s.Step {
	case stepLanguage:
		if lang, ok := languages[text]; ok {
			s.Lang = lang
			return s.to(stepRegister), opNone
		}
	case stepRegister:
		if text == "1" {
			return s.to(stepName), opNone
		}
	case stepName:
		s.Name = text // Finish stores the name as CheckName returns it
		return s, opCheckName
	case stepINN:
		number, err := inn.Parse(text)
		if err != nil {
			return s.with(message("ussd.word.inn")), opNone
		}
		s.INN = number.String()
		return s.to(stepConfirm), opNone
	case stepConfirm:
		if text == "1" {
			s.Offer = customer.OfferVersion
			return s.to(stepOffer), opNone
		}
	case stepOffer:
		if text == "1" {
			return s, opRegister
		}
	}
	return s.wrong(), opNone
}

func (s State) nextMenu(text string) (State, Op) {
	if s.Step == stepSetLanguage {
		if lang, ok := languages[text]; ok {
			s.Lang = lang // opSetLanguage stores the language of the state
			return s, opSetLanguage
		}
		return s.wrong(), opNone
	}
	for _, choice := range s.choices() {
		if strconv.Itoa(choice.number) == text {
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

// choices returns the fixed lines of the current menu. The numbers are those of the
// users' instruction, and messages refer to them ("*900#, 8, 3").
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
		if s.Resend { // the first PIN, sent by SMS, is unused
			list = append(list, choice{5, "ussd.menu.resend_pin", "", opResendPIN})
		}
		return list
	}
	return nil
}

func (s State) nextList(text string, listing Listing) State {
	if text == numberMore {
		if pages := s.pages(listing); s.Page+1 < len(pages) {
			s.Page++
			return s
		}
		return s.wrong()
	}
	for _, item := range listing.Items {
		if strconv.Itoa(item.Number) != text {
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
func (s State) nextTyped(text string, listing Listing) (State, Op) {
	switch s.Step {
	case stepAccount:
		account, err := listing.Identify(text)
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
		if _, err := phone.Parse(text); err != nil {
			return s.with(message("ussd.word.phone")), opNone
		}
		s.Receiver = text // as typed: Quote parses it again
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

// previousStep is the step that 0 returns to: mostly the one before. From stepConfirm
// it is stepName, so that both the name and the ИНН can be corrected; from stepNewPIN
// it is the menu, which abandons the change of the PIN.
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

// end returns the last state of a session: the message, without the data that was
// typed or shown.
func (s State) end(m Message) State {
	return State{Step: stepEnd, Lang: s.Lang, Customer: s.Customer, Message: m}
}

// message returns a message from its key and pairs of argument name and text. Keys
// ussd.word.* are shown above a screen, ussd.end.* alone on the last one.
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
