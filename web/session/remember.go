package session

import (
	"github.com/gorilla/sessions"

	"elsom/internal/customer"
)

// Bounds of the sessions that a process remembers: some 30 MB.
const (
	// maxRemembered is their number at most.
	maxRemembered = 20_000
	// maxRememberedData is the length of the encoded values of one at most.
	maxRememberedData = 1_000
)

// remembered is a customer's session as it was read and verified. Its values are not
// changed.
type remembered struct {
	row    row // without Data
	values map[string]string
	holder *customer.Customer
}

// use sets a session that was read.
func (v *visit) use(g *sessions.Session, r *row, values map[string]string) {
	for name, value := range values {
		g.Values[name] = value
	}
	g.ID, g.IsNew, v.stored, v.base, v.row = v.key, false, true, values, *r
}

// hold sets the customer of the visit's row, with what the row is.
func (v *visit) hold(c customer.Customer) {
	r := &v.row
	c.Browser = customer.Browser{
		Session: r.name(), Known: r.Known, Idle: Idle,
		Row: customer.SessionRow{
			Handle: r.Handle, ID: r.ID, CustomerID: c.ID, Epoch: r.Epoch, Browser: r.Browser, Known: r.Known,
			EndsAt: r.EndsAt.UnixMicro(), MAC: string(r.MAC),
		},
	}
	v.holder = &c
}

// remember keeps a customer's session that was read, with the length of its encoded values.
func (st *store) remember(v *visit, size int) {
	if v.holder == nil || size > maxRememberedData {
		return
	}
	r := v.row
	r.Data = ""
	st.memory.Put(v.key, remembered{r, v.base, v.holder})
}

// forget removes the session of a key, which this process has changed. It saves a request
// that would be refused and repeated; see Middleware.
func (st *store) forget(key string) { st.memory.Delete(key) }

// recall sets the session of the visit's key as it was read before, and reports whether
// there is one. It is used until its next request must be stored, at most seenEvery.
func (st *store) recall(g *sessions.Session, v *visit) bool {
	r, ok := st.memory.Get(v.key)
	now := st.now()
	//mutant:replace now.Sub(r.row.SeenAt) >= seenEvery || => ./web TestRememberedSessionIsReadAgain
	if !ok || now.Sub(r.row.SeenAt) >= seenEvery || now.After(r.row.EndsAt) {
		return false
	}
	v.use(g, &r.row, r.values)
	v.holder, v.remembered = r.holder, true
	return true
}
