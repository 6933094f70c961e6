package chaos_test

import (
	"testing"
)

// The comparison of the three books sees whatever they may disagree about.
func TestThreeBooksThatDisagree(t *testing.T) {
	t.Parallel()
	settled := ourPayment{txn: "1", inn: "00207199610017", state: "completed", amount: 500, accepts: 1, ends: 1, ending: "payment.settle"}
	returned := settled
	returned.state, returned.ending = "refunded", "payment.refund"
	good, bad := billersPayment{"1", 500, 0}, billersPayment{"1", 500, 5}
	with := func(p ourPayment, change func(*ourPayment)) ourPayment { change(&p); return p }
	none := ourPayment{}
	for name, c := range map[string]struct {
		told  word
		ours  ourPayment
		has   bool
		book  []billersPayment
		agree bool
	}{
		"ok, paid":                         {isOK, settled, true, []billersPayment{good}, true},
		"ok, refused by the biller":        {isOK, returned, true, []billersPayment{bad}, true},
		"ok, never reached the biller":     {isOK, returned, true, nil, true},
		"unknown, paid":                    {isUnknown, settled, true, []billersPayment{good}, true},
		"unknown, nowhere":                 {isUnknown, none, false, nil, true},
		"refused, nowhere":                 {isRefused, none, false, nil, true},
		"never asked, nowhere":             {notAsked, none, false, nil, true},
		"ok, lost by us":                   {isOK, none, false, nil, false},
		"ok, only the biller has it":       {isOK, none, false, []billersPayment{good}, false},
		"unknown, only the biller has it":  {isUnknown, none, false, []billersPayment{good}, false},
		"refused, only the biller has it":  {isRefused, none, false, []billersPayment{good}, false},
		"refused and paid":                 {isRefused, settled, true, []billersPayment{good}, false},
		"refused and held, then returned":  {isRefused, returned, true, nil, false},
		"never asked and paid":             {notAsked, settled, true, []billersPayment{good}, false},
		"sent, the biller has nothing":     {isOK, settled, true, nil, false},
		"sent, the biller refused":         {isOK, settled, true, []billersPayment{bad}, false},
		"returned, the biller has it":      {isOK, returned, true, []billersPayment{good}, false},
		"the biller has it twice":          {isOK, settled, true, []billersPayment{good, {"2", 500, 0}}, false},
		"the biller has more":              {isOK, settled, true, []billersPayment{{"1", 501, 0}}, false},
		"the biller has another number":    {isOK, settled, true, []billersPayment{{"2", 500, 0}}, false},
		"we have another sum":              {isOK, with(settled, func(p *ourPayment) { p.amount = 499 }), true, []billersPayment{good}, false},
		"we have another company":          {isOK, with(settled, func(p *ourPayment) { p.inn = "1" }), true, []billersPayment{good}, false},
		"it never ended":                   {isOK, with(settled, func(p *ourPayment) { p.state, p.ends = "processing", 0 }), true, []billersPayment{good}, false},
		"it is open though it has ended":   {isOK, with(settled, func(p *ourPayment) { p.state = "processing" }), true, []billersPayment{good}, false},
		"accepted without a transfer":      {isOK, with(settled, func(p *ourPayment) { p.accepts = 0 }), true, []billersPayment{good}, false},
		"completed by the refund's entry":  {isOK, with(settled, func(p *ourPayment) { p.ending = "payment.refund" }), true, []billersPayment{good}, false},
		"refunded by the settling's entry": {isOK, with(returned, func(p *ourPayment) { p.ending = "payment.settle" }), true, nil, false},
	} {
		a := &act{inn: "00207199610017", amount: 500, told: c.told}
		if wrong := a.wrong(c.ours, c.has, c.book); (wrong == "") != c.agree {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}
