package session

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// store is a gorilla/sessions Store on the database.
type store struct{ *Sessions }

// row is a row of the table sessions.
type row struct {
	ID         string
	Handle     int64
	CustomerID *int64
	Epoch      int64
	Data       string
	Version    int64
	Device     string
	Browser    string
	// Known is customer.Browser.Known.
	Known     bool
	Network   string
	CreatedAt time.Time
	SeenAt    time.Time
	EndsAt    time.Time
	// MAC is macOf the row; NULL for a visitor.
	MAC []byte `gorm:"column:mac"`
	// renewal is the value renewalName of Data.
	renewal renewal
}

// TableName implements GORM's Tabler.
func (row) TableName() string { return "sessions" }

// found is a session and its customer, read together.
type found struct {
	Row    row
	Holder customer.JoinedCustomer
}

// visit is the state of one request's session beyond its values. It is stored among
// the values, under visitKey.
type visit struct {
	token  []byte
	key    string             // the row's id: the token's hash
	holder *customer.Customer // nil for a visitor
	// row is the row as it was read or written; its Handle is 0 if there was none.
	row row
	// remembered reports that the row was read for an earlier request.
	remembered bool
	// late reports that the request came with the token of before a renewal.
	late bool
	// stored reports whether a row existed at the start of the request; base are its
	// values.
	stored bool
	base   map[string]string
	// end is why the session had ended when it was read, left its customer.
	end  End
	left customer.Customer
	// cookie reports whether the response has to set the cookie.
	cookie bool
}

type visitKey struct{}

func visitOf(g *sessions.Session) *visit { return g.Values[visitKey{}].(*visit) }

func (v *visit) customer() (customer.Customer, bool) {
	if v.holder == nil {
		return customer.Customer{}, false
	}
	return *v.holder, true
}

// Get implements sessions.Store.
func (st *store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New implements sessions.Store.
func (st *store) New(r *http.Request, name string) (*sessions.Session, error) {
	return st.open(r, name, false)
}

// open returns the session of a request. A visitor without a valid cookie gets a new token
// and no row. After its end a session keeps only the token, so that the forms on
// the screen are still valid. With remembered it may be one that was read before.
func (st *store) open(r *http.Request, name string, remembered bool) (*sessions.Session, error) {
	g := sessions.NewSession(st, name)
	g.Options = st.cookieOptions()
	g.IsNew = true
	v := &visit{}
	v.token, v.cookie = st.tokenOf(r, name)
	g.Values[visitKey{}] = v
	if v.token == nil {
		v.token, v.cookie = newToken(), true
		v.key = keyOf(v.token)
		return g, nil
	}
	v.key = keyOf(v.token)
	//mutant:replace remembered && => ./web TestRememberedSession
	if remembered && st.recall(g, v) {
		return g, nil
	}
	if err := st.load(r.Context(), g, v, isPoll(r)); err != nil {
		return g, fault.Wrap("session.load", err)
	}
	return g, nil
}

// PollParameter marks the address of a request that a page repeats by itself. Such a
// request does not keep the session from ending.
const PollParameter = "poll"

func isPoll(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Query().Has(PollParameter)
}

func (st *store) load(ctx context.Context, g *sessions.Session, v *visit, poll bool) error {
	f, values, err := st.find(ctx, v)
	if err != nil || f == nil {
		return err
	}
	now := st.now()
	//mutant:drop TestActivityIsStored
	f.Row.SeenAt = st.active.last(f.Row.Handle, f.Row.SeenAt)
	if !f.valid(now) {
		if f.Row.CustomerID != nil {
			v.end, v.left = f.end(), f.Holder.Customer()
		}
		return st.delete(ctx, f.Row.Handle)
	}
	//mutant:drop ./web TestForgedSessionIsNone
	if f.Row.CustomerID != nil && !st.made(ctx, &f.Row, f.Holder.Customer()) {
		return st.delete(ctx, f.Row.Handle)
	}
	v.use(g, &f.Row, values)
	if f.Row.CustomerID != nil {
		v.hold(f.Holder.Customer())
	}
	//mutant:replace !poll && => ./web TestPollDoesNotKeepTheSession
	if !poll && now.Sub(f.Row.SeenAt) >= seenEvery {
		st.saw(ctx, &v.row, now)
	}
	st.remember(v, len(f.Row.Data))
	return nil
}

// valid reports whether a session has not ended: it is not idle for too long, not past its
// end, and not from before all sessions of its customer were ended.
func (f *found) valid(now time.Time) bool {
	//mutant:replace now.Sub(f.Row.SeenAt) > Idle || => TestIdleAndAbsoluteEnd
	//mutant:replace || now.After(f.Row.EndsAt) => TestIdleAndAbsoluteEnd
	if now.Sub(f.Row.SeenAt) > Idle || now.After(f.Row.EndsAt) {
		return false
	}
	holder := f.Holder.Customer()
	//mutant:replace (f.Row.Epoch == holder.SessionEpoch && !holder.Blocked) => !holder.Blocked TestEpochAndBlockEndSessions
	//mutant:replace && !holder.Blocked => TestEpochAndBlockEndSessions
	return f.Row.CustomerID == nil || (f.Row.Epoch == holder.SessionEpoch && !holder.Blocked)
}

// endedEpoch is the epoch of a session ended from another browser. No customer has
// this epoch, so the session is invalid; the row stays to show the reason.
const endedEpoch = -1

// end returns why a session has ended.
func (f *found) end() End {
	switch holder := f.Holder.Customer(); {
	case f.Row.Epoch == endedEpoch:
		return EndedElsewhere
	case holder.Blocked:
		return EndedOtherwise
	case holder.Closed:
		return EndedByClosing
	case f.Row.Epoch != holder.SessionEpoch:
		return EndedByPassword
	}
	return EndedIdle
}

// Save implements sessions.Store. It writes only the changed values, so that
// concurrent requests don't overwrite each other's.
func (st *store) Save(r *http.Request, w http.ResponseWriter, g *sessions.Session) error {
	v := visitOf(g)
	values := texts(g)
	changes := map[string]string{} // an empty value removes the name
	for name, value := range values {
		if v.base[name] != value {
			changes[name] = value
		}
	}
	for name := range v.base {
		if _, kept := values[name]; !kept {
			changes[name] = ""
		}
	}
	if len(changes) > 0 {
		if err := st.write(context.WithoutCancel(r.Context()), v, changes); err != nil {
			return fault.Wrap("session.save", err)
		}
		v.base = values
	}
	if v.cookie {
		setCookie(w, sessions.NewCookie(g.Name(), st.cookieValue(v.token), g.Options))
		v.cookie = false
	}
	return nil
}

// rotate replaces the request's session by a new one in one transaction. The old
// token is invalid afterwards. holder is the customer to sign in; nil logs out.
func (s *Sessions) rotate(c echo.Context, g *sessions.Session, device string, holder *customer.Customer) error {
	old := visitOf(g)
	//mutant:replace newToken() => old.token ./web TestSessionIsNewAfterLogin
	token := newToken()
	v := &visit{token: token, key: keyOf(token), cookie: true, base: valuesFor(g, holder)}
	clear(g.Values)
	g.Values[visitKey{}] = v
	for name, value := range v.base {
		g.Values[name] = value
	}
	ctx := context.WithoutCancel(c.Request().Context())
	err := s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if holder == nil {
			return s.leave(tx, old, device, 0)
		}
		if err := s.leave(tx, old, device, holder.ID); err != nil {
			return err
		}
		r, err := s.newRow(tx, v.key, v.base)
		if err != nil {
			return err
		}
		r.CustomerID, r.Epoch, r.Device = &holder.ID, holder.SessionEpoch, NameOf(c.Request().UserAgent())
		r.Browser, r.Known, r.Network = device, holder.Browser.Known, networkOf(c.RealIP())
		r.MAC = macOf(s.macKeys.Current(), r)
		v.row = *r
		return tx.Gorm().Create(r).Error
	})
	if err != nil {
		return fault.Wrap("session.rotate", err)
	}
	s.store.forget(old.key)
	if holder != nil {
		v.stored = true
		v.hold(*holder)
	}
	return nil
}

// newRow returns a row without a customer.
func (s *Sessions) newRow(tx *database.Tx, key string, data map[string]string) (*row, error) {
	now := s.now()
	encoded, err := encode(data)
	return &row{
		ID: key, Handle: tx.NewID(), Data: encoded, Version: 1,
		CreatedAt: now, SeenAt: now, EndsAt: database.StoredTime(now.Add(Absolute)),
	}, err
}

// maxData bounds the encoded values of a session, in bytes. renewalBytes of them are
// kept for a renewal.
const maxData = 4000

var errTooMuch = errors.New("session: values exceed 4,000 bytes")

func encode(data map[string]string) (string, error) {
	limit := maxData
	if data[renewalName] == "" {
		limit -= renewalBytes
	}
	encoded, err := json.Marshal(data)
	//mutant:replace > limit => > maxData TestSaveRejectsOversizedValues
	if err == nil && len(encoded) > limit {
		err = errTooMuch
	}
	return string(encoded), err
}

// write applies changes to the row. A row that existed at the start of the request
// and is gone now belonged to a session that ended; it is not inserted again.
func (st *store) write(ctx context.Context, v *visit, changes map[string]string) error {
	const tries = 50
	for range tries {
		done, stored := false, v.stored
		err := st.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
			done, stored, err = st.merge(tx, v, changes)
			return err
		})
		if err != nil {
			return err
		}
		if done {
			v.stored = stored
			st.forget(v.key)
			return nil
		}
	}
	return errors.New("session: too many concurrent writes")
}

// merge tries to write changes once. done is false if another request wrote the row
// in between.
func (st *store) merge(tx *database.Tx, v *visit, changes map[string]string) (done, stored bool, err error) {
	var rows []row
	//mutant:replace OR handle = ? => OR handle = 0 * ? TestRequestBesideARenewal
	if err := tx.Gorm().Where("id = ? OR handle = ?", v.key, v.row.Handle).Limit(1).Find(&rows).Error; err != nil {
		return false, false, err
	}
	if len(rows) == 0 {
		//mutant:drop TestSaveDoesNotRestoreEndedSession
		if v.stored {
			return true, true, nil
		}
		done, err = st.insert(tx, v.key, applied(nil, changes))
		return done, done, err
	}
	var data map[string]string
	if err := json.Unmarshal([]byte(rows[0].Data), &data); err != nil {
		return false, false, err
	}
	encoded, err := encode(applied(data, changes))
	if err != nil {
		return false, false, err
	}
	//mutant:replace version = ? => version >= ? - 9999 TestParallelSavesLoseNothing
	result := tx.Gorm().Exec(`UPDATE sessions SET data = ?, version = version + 1 WHERE handle = ? AND version = ?`,
		encoded, rows[0].Handle, rows[0].Version)
	return result.RowsAffected == 1, true, result.Error
}

// insert adds the row of a visitor who stores something for the first time. It
// returns false if a concurrent request has added it.
func (st *store) insert(tx *database.Tx, key string, data map[string]string) (bool, error) {
	r, err := st.newRow(tx, key, data)
	if err != nil {
		return false, err
	}
	result := tx.Gorm().Exec(`INSERT INTO sessions (id, handle, epoch, data, version, device, created_at, seen_at, ends_at)
		VALUES (?, ?, 0, ?, 1, '', ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		r.ID, r.Handle, r.Data, r.CreatedAt, r.SeenAt, r.EndsAt)
	return result.RowsAffected == 1, result.Error
}

// read returns a session with its customer; nil if there is none. Concurrent reads
// share one statement.
func (s *Sessions) read(ctx context.Context, key string) (*found, error) {
	return s.reads.Do(ctx, key)
}

// readRows reads sessions with their customers in one statement.
func (s *Sessions) readRows(ctx context.Context, keys []string) ([]*found, error) {
	these, list := database.InList(s.db.Dialect(), keys)
	rows, err := database.ScanAll(s.db.Gorm(ctx).Raw(`SELECT s.id, s.handle, s.customer_id, s.epoch, s.data, s.browser, s.known, s.seen_at, s.ends_at, s.mac, `+
		customer.JoinedColumns+` FROM sessions s`+customer.JoinClause("s.customer_id")+` WHERE s.id `+these, list), (*found).scanTargets)
	return database.AlignRows(keys, rows, func(f found) string { return f.Row.ID }), err
}

// scanTargets returns the scan destinations of readRows' columns.
func (f *found) scanTargets() []any {
	r := &f.Row
	return append([]any{&r.ID, &r.Handle, &r.CustomerID, &r.Epoch, &r.Data, &r.Browser, &r.Known, &r.SeenAt, &r.EndsAt, &r.MAC}, f.Holder.ScanTargets()...)
}

func (s *Sessions) exec(ctx context.Context, statement string, args ...any) error {
	return s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return tx.Gorm().Exec(statement, args...).Error })
}
