package credential

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/operatorlog"
	"elsom/internal/signature"
)

// Register stores the credentials of one realm. Details are the further columns of
// the realm's table; GORM maps them as an embedded struct.
//
// The operations of its errors begin with the realm's name, such as "agent.add".
type Register[Details any] struct {
	db       *database.DB
	realm    Realm
	verifier *verifier
	cache    cache[Details]
}

// NewRegister returns a realm's register on db. counters counts attempts; nil: they
// are not counted, for commands. The keyed hashes by which right passwords are
// recognized use a key derived from serverSecret; nil: passwords are not recognized
// after a restart. Those of previous secrets are accepted, and replaced.
func NewRegister[Details any](db *database.DB, realm Realm, counters Counters, serverSecret []byte, previous ...[]byte) (*Register[Details], error) {
	v, err := newVerifier(counters, realm.Limits, serverSecret, previous...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", realm.Name, err)
	}
	return &Register[Details]{db: db, realm: realm, verifier: v}, nil
}

// Authenticate returns the caller with this code and password. Errors:
// fault.Forbidden for every refusal; TooMany if a limit of attempts is exceeded;
// Unavailable if the password can't be verified now, or if the caller's row is not as it
// was signed.
func (r *Register[D]) Authenticate(ctx context.Context, code, password string, from netip.Addr) (Entry[D], error) {
	op := r.realm.Name + ".authenticate"
	found, err := r.find(ctx, op, code)
	if err != nil {
		return Entry[D]{}, err
	}
	e := found.entry
	//mutant:replace !e.Disabled && => TestGatewayAuthentication
	a := attempt{code: code, password: password, from: from, admissible: !e.Disabled && allows(e.Allowed, from)}
	s := secret{hash: found.row.PasswordHash, mac: found.row.PasswordMAC}
	right, err := r.verifier.verify(ctx, s, a, func(ctx context.Context, mac string) error {
		return r.writeMAC(ctx, code, found.row.PasswordHash, mac)
	})
	if err != nil {
		return Entry[D]{}, err
	}
	if !right {
		return Entry[D]{}, fault.New(fault.Forbidden, op, "")
	}
	return e, nil
}

// find returns the row of a code, at most maxAge old; the zero row if there is none.
// Errors: Unavailable if it can't be read, or is not as it was signed.
func (r *Register[D]) find(ctx context.Context, op, code string) (verified[D], error) {
	if !IsCode(code) {
		return verified[D]{}, nil
	}
	now := r.db.Now()
	found, generation, fresh := r.cache.get(code, now)
	if fresh {
		return found, nil
	}
	row, err := r.read(ctx, code)
	if err != nil {
		return verified[D]{}, fault.New(fault.Unavailable, op, "").Because(err)
	}
	if row.Code == "" {
		return verified[D]{}, nil
	}
	// Not a refusal: a terminal repeats a request that got no final answer, and the cash
	// that it took is credited once the row was put right.
	//mutant:drop ./internal/cashin TestForgedAgentIsUnavailable
	//mutant:drop ./web TestForgedGateways
	if err := row.checkSigned(ctx, r.db); err != nil {
		return verified[D]{}, fault.Wrap(op, err)
	}
	found = verified[D]{row, row.entry(), now}
	r.cache.put(found, generation)
	return found, nil
}

// Add stores a caller, and calls also, if it is not nil, in the same transaction.
// added is false if the code is taken. problems describe invalid details, checked by
// the realm. Errors: Invalid (the cause lists all problems).
func (r *Register[D]) Add(ctx context.Context, n New[D], problems []string, also func(*database.Tx) error) (added bool, err error) {
	var all []string
	if !IsCode(n.Code) {
		all = append(all, "the code: 1 to 32 lower-case Latin letters, digits and dashes")
	}
	all = append(all, Change{Name: &n.Name, Password: &n.Password, Allowed: &n.Allowed}.problems()...)
	all = append(all, problems...)
	if n.Password == r.realm.DemoPassword(n.Code) {
		all = append(all, r.wrongDemoPassword())
	}
	if err := invalid(r.realm.Name+".add", all); err != nil {
		return false, err
	}
	return r.add(ctx, n, also)
}

// Seed adds a development caller with its public password, unless its code is
// taken. Several processes may do so at once.
func (r *Register[D]) Seed(ctx context.Context, n New[D], also func(*database.Tx) error) error {
	found, err := r.read(ctx, n.Code)
	if err != nil || found.Code != "" {
		return fault.Wrap(r.realm.Name+".seed", err)
	}
	n.Password = r.realm.DemoPassword(n.Code)
	_, err = r.add(ctx, n, also)
	return err
}

func (r *Register[D]) add(ctx context.Context, n New[D], also func(*database.Tx) error) (added bool, err error) {
	hash, err := r.verifier.Hash(ctx, n.Password)
	if err != nil {
		return false, err
	}
	mac := r.verifier.storedMAC(n.Code, hash, n.Password)
	err = r.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := r.insert(tx, n, hash, mac); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		return r.record(ctx, tx, row[D]{}, n.Code)
	})
	if errors.Is(err, errTaken) {
		return false, nil
	}
	return err == nil, fault.Wrap(r.realm.Name+".add", err)
}

// List returns all callers by code, disabled ones too.
func (r *Register[D]) List(ctx context.Context) ([]Entry[D], error) {
	rows, err := r.readAll(ctx)
	if err != nil {
		return nil, fault.Wrap(r.realm.Name+".list", err)
	}
	entries := make([]Entry[D], len(rows))
	for i, found := range rows {
		entries[i] = found.entry()
	}
	return entries, nil
}

// Unverified returns why rows are not as they were signed, by code; nil without keys. The
// errors are those of the signature package.
func (r *Register[D]) Unverified(ctx context.Context) (map[string]error, error) {
	op := r.realm.Name + ".unverified"
	keys := r.db.Keys()
	if keys == nil {
		return nil, nil
	}
	rows, err := r.readAll(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	unsignedAllowed := false
	if err := r.db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		unsignedAllowed, err = tx.UnsignedAllowed()
		return err
	}); err != nil {
		return nil, fault.Wrap(op, err)
	}
	wrong := map[string]error{}
	for _, found := range rows {
		record, mac, keyID := found.signed()
		if record == nil {
			return nil, nil
		}
		err := keys.Verify(record, *mac, *keyID)
		if err != nil && (!unsignedAllowed || !errors.Is(err, signature.ErrUnsigned)) {
			//mutant:drop ./cmd/elsom TestListsMarkForgedRows
			wrong[found.Code] = err
		}
	}
	return wrong, nil
}

// Change changes a caller, sets columns of its details, and calls also, if it is not
// nil, with the changed entry in the same transaction. problems describe invalid
// columns, checked by the realm. Errors: Invalid (the cause lists all problems),
// NotFound, those of also.
func (r *Register[D]) Change(ctx context.Context, code string, c Change, columns map[string]any, problems []string,
	also func(context.Context, *database.Tx, Entry[D]) error,
) error {
	op := r.realm.Name + ".change"
	all := c.problems()
	if c.Empty() && len(columns) == 0 {
		all = append(all, "nothing to change")
	}
	all = append(all, problems...)
	if c.Password != nil && *c.Password == r.realm.DemoPassword(code) {
		all = append(all, r.wrongDemoPassword())
	}
	if err := invalid(op, all); err != nil {
		return err
	}
	set, err := r.changed(ctx, code, c, columns)
	if err != nil {
		return err
	}
	return r.update(ctx, op, code, set, also)
}

// update sets columns of a caller and records the change in the operator log.
func (r *Register[D]) update(ctx context.Context, op, code string, set map[string]any, also func(context.Context, *database.Tx, Entry[D]) error) error {
	found := false
	err := r.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		before, now, err := r.updateSigned(ctx, tx, code, set)
		if found = now.Code != ""; err != nil || !found {
			return err
		}
		if also != nil {
			if err := also(ctx, tx, now.entry()); err != nil {
				return err
			}
		}
		return r.record(ctx, tx, before, code)
	})
	return r.ended(op, code, found, err)
}

// record records a change of a caller, who was as before (the zero row: new), in the
// operator log. Of a password it records only that it was changed.
func (r *Register[D]) record(ctx context.Context, tx *database.Tx, before row[D], code string) error {
	now, err := r.readIn(tx, code)
	if err != nil {
		return err
	}
	after := now.state()
	after["password_changed"] = now.PasswordHash != before.PasswordHash
	change := operatorlog.Change{Subject: r.realm.Name + " " + code, After: after}
	if before.Code != "" {
		change.Before = before.state()
	}
	//mutant:drop ./cmd/elsom TestOperatorLog
	if err := operatorlog.Record(ctx, tx, change); err != nil {
		return err
	}
	return nil
}

// state returns what the operator log has of a caller. Details have their own JSON keys.
func (r row[D]) state() map[string]any {
	return map[string]any{"name": r.Name, "allowed": r.Allowed, "disabled": r.Disabled, "details": r.Details}
}

// changed returns the columns that a change sets, with their values.
func (r *Register[D]) changed(ctx context.Context, code string, c Change, details map[string]any) (map[string]any, error) {
	set := map[string]any{}
	for name, value := range details {
		set[name] = value
	}
	if c.Name != nil {
		set["name"] = *c.Name
	}
	if c.Allowed != nil {
		set["allowed"] = writeAllowed(*c.Allowed)
	}
	if c.Password != nil {
		hash, err := r.verifier.Hash(ctx, *c.Password)
		if err != nil {
			return nil, err
		}
		set["password_hash"], set["password_mac"] = hash, r.verifier.storedMAC(code, hash, *c.Password)
	}
	return set, nil
}

// Disable disables a caller. It returns fault.NotFound for an unknown code.
func (r *Register[D]) Disable(ctx context.Context, code string) error {
	return r.update(ctx, r.realm.Name+".disable", code, map[string]any{"disabled": true}, nil)
}

// Enable reverses Disable. Errors: NotFound; Invalid (the stored addresses are
// malformed).
func (r *Register[D]) Enable(ctx context.Context, code string) error {
	op := r.realm.Name + ".enable"
	stored, err := r.read(ctx, code)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if stored.entry().Unreadable {
		return fault.New(fault.Invalid, op, "").Because(fmt.Errorf("the addresses of %s can't be read: give it new ones with --allow first", code))
	}
	return r.update(ctx, op, code, map[string]any{"disabled": false}, nil)
}

// ended drops the cached row after a change, also one that failed, and returns the
// error of the change; fault.NotFound if the code was not found.
func (r *Register[D]) ended(op, code string, found bool, err error) error {
	r.cache.drop(code)
	if err == nil && !found {
		return fault.New(fault.NotFound, op, "").Because(fmt.Errorf("there is no %s %s", r.realm.Name, code))
	}
	return fault.Wrap(op, err)
}

// AcceptsDemoPassword reports whether the caller is enabled and has the public
// password of a development caller.
func (r *Register[D]) AcceptsDemoPassword(ctx context.Context, code string) (bool, error) {
	found, err := r.read(ctx, code)
	if err != nil || found.Code == "" || found.Disabled {
		return false, fault.Wrap(r.realm.Name+".development", err)
	}
	right, _, err := r.verifier.Match(ctx, r.realm.DemoPassword(code), found.PasswordHash)
	return right, err
}

func (r *Register[D]) wrongDemoPassword() string {
	return "the password is the demo " + r.realm.Name + "'s"
}

// invalid returns fault.Invalid with the list of problems; nil if there are none.
func invalid(op string, problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, op, "").Because(errors.New(strings.Join(problems, "; ")))
}

// maxAge bounds how long a cached row is used, and thereby how long another process
// accepts a credential that was changed or disabled. Rows are cached because a USSD
// session sends a request for each input.
const maxAge = time.Second

// cache has recently read rows. Only existing codes are cached, so that it is no
// larger than the table.
type cache[D any] struct {
	mu   sync.Mutex
	rows map[string]verified[D]
	// generation counts drops: a row that was read before a drop is not stored
	// after it.
	generation int
}

// verified is a row that is as it was signed.
type verified[D any] struct {
	row   row[D]
	entry Entry[D]
	read  time.Time
}

func (c *cache[D]) get(code string, now time.Time) (found verified[D], generation int, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stored, known := c.rows[code]
	//mutant:replace || age >= maxAge => TestChangesAreApplied
	if age := now.Sub(stored.read); !known || age < 0 || age >= maxAge {
		return verified[D]{}, c.generation, false
	}
	return stored, c.generation, true
}

func (c *cache[D]) put(found verified[D], generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if c.rows == nil {
		c.rows = map[string]verified[D]{}
	}
	c.rows[found.row.Code] = found
}

func (c *cache[D]) drop(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	//mutant:drop TestChangesAreApplied
	delete(c.rows, code)
	c.generation++
}
