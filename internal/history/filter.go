package history

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
)

// Filter selects operations: those of a period for which all other conditions that are
// not empty hold.
type Filter struct {
	From, To  time.Time // days in Bishkek; To is the one after the last
	Direction Direction
	Kind      Kind
	Service   string
	State     State
	// Query is searched for in ИНН or account, payment code, company, and in the names and
	// numbers of transfers.
	Query string

	statement bool // the lines of a statement: refunds are lines, and states don't matter
}

// Typed is a filter as it was typed. Empty From and To are the last year.
type Typed struct{ From, To, Direction, Kind, Service, State, Query string }

// The faults of a filter.
const (
	BadDate     fault.Reason = "history.date"
	BadOrder    fault.Reason = "history.order"
	LongPeriod  fault.Reason = "history.period"
	BadChoice   fault.Reason = "history.choice"
	LongQuery   fault.Reason = "history.query"
	maxQuery                 = 100
	dateLayout               = "2006-01-02"
	shownLayout              = "02.01.2006"
)

var zone = time.FixedZone("Asia/Bishkek", 6*60*60)

// Day returns the beginning of the day of a time in Bishkek.
func Day(t time.Time) time.Time {
	year, month, day := t.In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// Last returns the last day of a filter.
func (f Filter) Last() time.Time { return f.To.AddDate(0, 0, -1) }

// Parse returns the filter that was typed. Its error joins a fault for each field that
// can't be accepted.
func (h *History) Parse(t Typed) (Filter, error) {
	f := Filter{
		Direction: Direction(t.Direction), Kind: Kind(t.Kind), Service: t.Service, State: State(t.State),
		Query: strings.ToLower(input.Clean(t.Query)),
	}
	var faults []error
	from, to, err := ParsePeriod(t.From, t.To, h.db.Now())
	if err != nil {
		faults = append(faults, err)
	}
	f.From, f.To = from, to
	refuse := func(bad bool, reason fault.Reason, field string) {
		if bad {
			faults = append(faults, fault.New(fault.Invalid, "history.parse", reason).At(field))
		}
	}
	refuse(f.Direction != "" && f.Direction != In && f.Direction != Out, BadChoice, "direction")
	refuse(f.Kind != "" && f.Kind != Payment && f.Kind != CashIn && f.Kind != Sent && f.Kind != Received && f.Kind != Other, BadChoice, "kind")
	refuse(f.State != "" && f.State != Processing && f.State != Completed && f.State != Refunded, BadChoice, "state")
	refuse(len(f.Service) > 40 || !utf8.ValidString(f.Service), BadChoice, "service")
	refuse(utf8.RuneCountInString(t.Query) > maxQuery || !utf8.ValidString(t.Query), LongQuery, "q")
	return f, errors.Join(faults...)
}

// ParsePeriod returns the period that was typed as its first and last day: as browsers
// send dates, or as people write them. Without the first day it is a year, without the last
// one it ends today or after a year.
func ParsePeriod(first, last string, now time.Time) (from, to time.Time, err error) {
	today := Day(now)
	from, fromErr := parseDay(first, "from")
	to, toErr := parseDay(last, "to")
	if fromErr != nil || toErr != nil {
		return from, to, errors.Join(fromErr, toErr)
	}
	if to.IsZero() {
		to = today
		if longest := from.AddDate(0, 0, MaxDays-1); !from.IsZero() && (from.After(to) || longest.Before(to)) {
			to = longest
		}
	}
	to = to.AddDate(0, 0, 1)
	if from.IsZero() {
		from = to.AddDate(0, 0, -MaxDays)
	}
	//mutant:replace !from.Before(to) => false TestParsePeriod
	if !from.Before(to) {
		return from, to, fault.New(fault.Invalid, "history.parse", BadOrder).At("to")
	}
	//mutant:replace > MaxDays => < 0 TestParsePeriod
	if to.Sub(from) > MaxDays*24*time.Hour {
		return from, to, fault.New(fault.Invalid, "history.parse", LongPeriod).At("from").With("Most", MaxDays)
	}
	return from, to, nil
}

// parseDay returns the day that was typed; the zero time if nothing was.
func parseDay(typed, field string) (time.Time, error) {
	typed = input.Clean(typed)
	if typed == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{dateLayout, shownLayout} {
		if day, err := time.ParseInLocation(layout, typed, zone); err == nil && day.Year() >= 2000 && day.Year() < 2100 {
			return day, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "history.parse", BadDate).At(field)
}

// clocks is how far the time in a transfer's id may be from the time at which it was
// posted. Ids select what is read; the time decides what is shown.
const clocks = time.Hour

// window returns the entries of an account among which those of the filter are.
func (f Filter) window(account int64) window {
	return window{
		account: account, after: database.FirstID(f.From.Add(-clocks)) - 1, before: database.FirstID(f.To.Add(clocks)), newest: true,
	}
}

// searchField is the field because of which operations are read one by one.
func (f Filter) searchField() string {
	if f.Query != "" {
		return "q"
	}
	return "state"
}

// selects reports whether the filter selects a row.
func (f Filter) selects(r row) bool {
	o := r.Operation
	if o.At.Before(f.From) || !o.At.Before(f.To) {
		return false
	}
	if f.statement {
		return true
	}
	//mutant:replace o.Kind == Refund => false TestTotalsAreOfWhatIsListed
	if o.Kind == Refund || f.Kind != "" && o.Kind != f.Kind || f.Service != "" && o.Service != f.Service || f.State != "" && o.State != f.State {
		return false
	}
	if f.Direction == In && o.Amount < 0 || f.Direction == Out && o.Amount > 0 {
		return false
	}
	return f.Query == "" || matches(o, f.Query)
}

// counts reports whether the sums of a cell are of operations that the filter selects.
// It is for filters without state and query.
func (f Filter) counts(k key) bool {
	kind, in := k.operation()
	switch {
	case kind == "" || kind == Refund:
		return false
	case f.Kind != "" && kind != f.Kind, f.Service != "" && k.service != f.Service:
		return false
	case f.Direction == In && !in, f.Direction == Out && in:
		return false
	}
	return true
}

// matches reports whether an operation has what is searched for. Digits are found
// however they are grouped.
func matches(o Operation, query string) bool {
	if digits := input.Digits(query); len(digits) >= 3 {
		for _, number := range []string{o.Identifier, o.Code, o.PartyPhone} {
			if strings.Contains(number, digits) {
				return true
			}
		}
	}
	for _, name := range []string{o.Payee, o.Party, o.Identifier, o.Service, o.Agent} {
		if strings.Contains(strings.ToLower(name), query) {
			return true
		}
	}
	return false
}
