package main

import (
	"strconv"
	"sync"
	"time"

	"elsom/internal/biller"
)

// The commands for which a behavior can be set.
const (
	commandCheck = "check"
	commandPay   = "pay"
	all          = "all" // every command, or every service
)

// mode is a kind of behavior.
type mode struct {
	code, title string
}

// The modes. "After" means that the payment is booked and the response is lost,
// "before" that nothing is booked. A check never books.
const (
	normal      = "normal"
	slow        = "slow"
	silentAfter = "silent-after"
	silent      = "silent-before"
	dropAfter   = "drop-after"
	drop        = "drop-before"
	errorAfter  = "error-after"
	errorBefore = "error-before"
	broken      = "broken"
	temporary   = "temporary"
	unfinished  = "unfinished"

	temporaryAfter  = "temporary-after"
	unfinishedAfter = "unfinished-after"

	undecided = "undecided"
	refuse    = "refuse"
)

var modes = []mode{
	{normal, "как обычно"},
	{slow, "зачислить и ответить через столько секунд"},
	{silentAfter, "зачислить и молчать"},
	{silent, "молчать, не зачисляя"},
	{dropAfter, "зачислить и оборвать связь"},
	{drop, "оборвать связь, не зачисляя"},
	{errorAfter, "зачислить и ответить HTTP 500"},
	{errorBefore, "HTTP 500, не зачисляя"},
	{broken, "зачислить и ответить битым XML"},
	{temporary, "код 1: временная ошибка, не зачислено"},
	{unfinished, "код 90: не завершено, не зачислено"},
	{temporaryAfter, "зачислить и ответить кодом 1, повтор отказать кодом 300"},
	{unfinishedAfter, "зачислить и ответить кодом 90, повтор отказать кодом 300"},
	{undecided, "код 243: состояние не проверить, не зачислено"},
	{refuse, "отказать с таким кодом, отказ запоминается"},
}

// bookedAs returns the result that is sent although the payment was booked, as by a
// provider that stores no outcomes and refuses the repeat; 0 in the other modes.
func (o behavior) bookedAs() int {
	switch o.mode {
	case temporaryAfter:
		return biller.ResultTemporary
	case unfinishedAfter:
		return biller.ResultNotFinished
	}
	return 0
}

// refusals are the results that mode refuse can have.
var refusals = []int{
	biller.ResultBadAccount, biller.ResultNoAccount, biller.ResultForbidden, biller.ResultTechnical,
	biller.ResultInactive, biller.ResultTooSmall, biller.ResultTooLarge, biller.ResultOther,
}

// behavior is a mode with its parameters.
type behavior struct {
	mode   string
	delay  time.Duration
	result int
	left   int // requests left; 0: until reset
}

// Limits of the form.
const (
	maxSeconds     = 600
	maxTimes       = 1_000_000
	defaultSeconds = 10
)

// formError is a message for the form.
type formError string

func (e formError) Error() string { return string(e) }

const (
	errMode    formError = "Такого поведения нет"
	errService formError = "Такой услуги нет"
	errCommand formError = "Такой команды нет"
	errResult  formError = "Такого кода отказа нет"
	errSeconds formError = "Секунды: целое число от 0 до 600"
	errTimes   formError = "Запросы: целое число от 0 (до сброса) до 1000000"
)

type switchKey struct{ service, command string }

// switches hold the behavior that was set, in memory: a restart resets it.
type switches struct {
	mu  sync.Mutex
	set map[switchKey]behavior
}

// take returns the behavior for one request and counts it.
func (s *switches) take(service, command string) behavior {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := switchKey{service, command}
	o, ok := s.set[at]
	if !ok {
		return behavior{mode: normal}
	}
	switch o.left {
	case 0:
	case 1:
		delete(s.set, at)
	default:
		rest := o
		rest.left--
		s.set[at] = rest
	}
	return o
}

// put sets the behavior of one service and command; all stands for each of them.
func (s *switches) put(service, command string, o behavior) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range switchKeys() {
		if (service != all && service != at.service) || (command != all && command != at.command) {
			continue
		}
		if o.mode == normal {
			delete(s.set, at)
		} else {
			s.set[at] = o
		}
	}
}

// switchKeys returns all services and commands in the order of the page.
func switchKeys() []switchKey {
	var list []switchKey
	for _, s := range services {
		list = append(list, switchKey{s.code, commandPay}, switchKey{s.code, commandCheck})
	}
	return list
}

// current returns the behavior that is set.
func (s *switches) current(at switchKey) (behavior, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.set[at]
	return o, ok
}

// switchInput is the form as sent.
type switchInput struct{ service, command, mode, seconds, result, times string }

// parse validates the form. Defaults: all services, pay, normal, 10 seconds, result
// 300, until reset.
func (w switchInput) parse() (service, command string, o behavior, err error) {
	service, command = cmpOr(w.service, all), cmpOr(w.command, commandPay)
	o.mode = cmpOr(w.mode, normal)
	if _, ok := serviceByCode(service); !ok && service != all {
		return "", "", behavior{}, errService
	}
	if command != commandPay && command != commandCheck && command != all {
		return "", "", behavior{}, errCommand
	}
	if modeTitle(o.mode) == "" {
		return "", "", behavior{}, errMode
	}
	seconds, err := count(w.seconds, defaultSeconds, maxSeconds)
	if err != nil {
		return "", "", behavior{}, errSeconds
	}
	o.delay = time.Duration(seconds) * time.Second
	if o.left, err = count(w.times, 0, maxTimes); err != nil {
		return "", "", behavior{}, errTimes
	}
	if o.result, err = count(w.result, biller.ResultOther, biller.ResultOther); err != nil || !isRefusal(o.result) {
		return "", "", behavior{}, errResult
	}
	return service, command, o, nil
}

func cmpOr(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func count(text string, otherwise, limit int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > limit {
		return 0, strconv.ErrRange
	}
	return n, nil
}

func isRefusal(result int) bool {
	for _, r := range refusals {
		if r == result {
			return true
		}
	}
	return false
}

func modeTitle(code string) string {
	for _, m := range modes {
		if m.code == code {
			return m.title
		}
	}
	return ""
}
