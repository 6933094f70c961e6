package chaos_test

import (
	"testing"
)

// TestMismatch checks that the comparison finds every disagreement.
func TestMismatch(t *testing.T) {
	t.Parallel()
	settled := ourPayment{txn: "1", inn: "00207199610017", state: "completed", amount: 500, accepts: 1, ends: 1, ending: "payment.settle"}
	returned := settled
	returned.state, returned.ending = "refunded", "payment.refund"
	good, bad := billersPayment{"1", 500, 0}, billersPayment{"1", 500, 5}
	with := func(p ourPayment, change func(*ourPayment)) ourPayment { change(&p); return p }
	none := ourPayment{}
	for name, c := range map[string]struct {
		out   outcome
		ours  ourPayment
		has   bool
		book  []billersPayment
		agree bool
	}{
		"ok, paid":                           {gotAccepted, settled, true, []billersPayment{good}, true},
		"ok, refused by the biller":          {gotAccepted, returned, true, []billersPayment{bad}, true},
		"ok, never reached the biller":       {gotAccepted, returned, true, nil, true},
		"unknown, paid":                      {gotUnknown, settled, true, []billersPayment{good}, true},
		"unknown, nowhere":                   {gotUnknown, none, false, nil, true},
		"refused, nowhere":                   {gotRefused, none, false, nil, true},
		"not sent, nowhere":                  {notSent, none, false, nil, true},
		"ok, lost by us":                     {gotAccepted, none, false, nil, false},
		"ok, only the biller has it":         {gotAccepted, none, false, []billersPayment{good}, false},
		"unknown, only the biller has it":    {gotUnknown, none, false, []billersPayment{good}, false},
		"refused, only the biller has it":    {gotRefused, none, false, []billersPayment{good}, false},
		"refused and paid":                   {gotRefused, settled, true, []billersPayment{good}, false},
		"refused, yet accepted and returned": {gotRefused, returned, true, nil, false},
		"not sent and paid":                  {notSent, settled, true, []billersPayment{good}, false},
		"completed, the biller has nothing":  {gotAccepted, settled, true, nil, false},
		"completed, the biller refused":      {gotAccepted, settled, true, []billersPayment{bad}, false},
		"returned, the biller has it":        {gotAccepted, returned, true, []billersPayment{good}, false},
		"the biller has it twice":            {gotAccepted, settled, true, []billersPayment{good, {"2", 500, 0}}, false},
		"the biller has more":                {gotAccepted, settled, true, []billersPayment{{"1", 501, 0}}, false},
		"the biller has another number":      {gotAccepted, settled, true, []billersPayment{{"2", 500, 0}}, false},
		"we have another sum":                {gotAccepted, with(settled, func(p *ourPayment) { p.amount = 499 }), true, []billersPayment{good}, false},
		"we have another company":            {gotAccepted, with(settled, func(p *ourPayment) { p.inn = "1" }), true, []billersPayment{good}, false},
		"still processing":                   {gotAccepted, with(settled, func(p *ourPayment) { p.state, p.ends = "processing", 0 }), true, []billersPayment{good}, false},
		"processing after its last transfer": {gotAccepted, with(settled, func(p *ourPayment) { p.state = "processing" }), true, []billersPayment{good}, false},
		"accepted without a transfer":        {gotAccepted, with(settled, func(p *ourPayment) { p.accepts = 0 }), true, []billersPayment{good}, false},
		"completed by a refund transfer":     {gotAccepted, with(settled, func(p *ourPayment) { p.ending = "payment.refund" }), true, []billersPayment{good}, false},
		"refunded by a settling transfer":    {gotAccepted, with(returned, func(p *ourPayment) { p.ending = "payment.settle" }), true, nil, false},
	} {
		a := &order{inn: "00207199610017", amount: 500, outcome: c.out}
		if wrong := a.mismatch(c.ours, c.has, c.book); (wrong == "") != c.agree {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}
