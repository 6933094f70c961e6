package payment

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// paymentRow is a row of payments; columns that may be NULL are pointers.
type paymentRow struct {
	ID         int64
	CustomerID int64
	Service    string
	Biller     string
	Identifier string
	Payee      string
	Amount     money.Amount
	Fee        money.Amount
	TxnID      string
	Code       string
	Channel    customer.Channel
	State      State
	AcceptedAt time.Time
	EndedAt    *time.Time
	Result     *int
	Reference  string
	AskedAt    *time.Time
	Mac        []byte
	KeyID      string
}

const paymentColumns = `id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state,
	accepted_at, ended_at, result, reference, asked_at, mac, key_id`

func (r paymentRow) payment() Payment {
	p := Payment{
		ID: r.ID, CustomerID: r.CustomerID, Service: r.Service, Biller: r.Biller, Identifier: r.Identifier,
		Payee: r.Payee, Amount: r.Amount, Fee: r.Fee, TxnID: r.TxnID, Code: r.Code, Channel: r.Channel,
		State: r.State, AcceptedAt: r.AcceptedAt, Reference: r.Reference,
		mac: string(r.Mac), keyID: r.KeyID,
	}
	if r.EndedAt != nil {
		p.EndedAt = *r.EndedAt
	}
	if r.AskedAt != nil {
		p.ReviewSince = *r.AskedAt
	}
	if r.Result != nil {
		p.Result = *r.Result
	}
	return p
}

// scanTargets returns the destinations of paymentColumns.
func (r *paymentRow) scanTargets() []any {
	return []any{
		&r.ID, &r.CustomerID, &r.Service, &r.Biller, &r.Identifier, &r.Payee, &r.Amount, &r.Fee, &r.TxnID, &r.Code, &r.Channel, &r.State,
		&r.AcceptedAt, &r.EndedAt, &r.Result, &r.Reference, &r.AskedAt, &r.Mac, &r.KeyID,
	}
}

func payments(g *gorm.DB, where string, args ...any) ([]Payment, error) {
	rows, err := database.ScanAll(g.Raw("SELECT "+paymentColumns+" FROM payments WHERE "+where, args...), (*paymentRow).scanTargets)
	if err != nil {
		return nil, err
	}
	list := make([]Payment, len(rows))
	for i, r := range rows {
		list[i] = r.payment()
	}
	return list, nil
}

func only(list []Payment, err error) (Payment, error) {
	if err != nil {
		return Payment{}, err
	}
	if len(list) == 0 {
		return Payment{}, fault.New(fault.NotFound, "payment.read", "")
	}
	return list[0], nil
}

func (ps *Payments) readByIDs(ctx context.Context, ids []int64) ([]*Payment, error) {
	these, list := database.InList(ps.db.Dialect(), ids)
	found, err := payments(ps.db.Gorm(ctx), "id "+these, list)
	return database.AlignRows(ids, found, func(p Payment) int64 { return p.ID }), err
}

func readByCode(ctx context.Context, db *database.DB, code string) (Payment, error) {
	return only(payments(db.Gorm(ctx), "code = ?", code))
}

func lockPayment(tx *database.Tx, id int64) (Payment, error) {
	return only(payments(tx.Gorm(), "id = ?"+tx.ForUpdate(), id))
}

// readSeveral reads the payments of several lists of ids, by the list. A condition on the
// customer would be an index too, which PostgreSQL may combine with that of the ids: it
// then reads the index entries of all payments of the customer.
func (ps *Payments) readSeveral(ctx context.Context, lists [][]int64) ([][]Payment, error) {
	found, err := ps.readByIDs(ctx, slices.Concat(lists...))
	if err != nil {
		return nil, err
	}
	several := make([][]Payment, len(lists))
	for i, ids := range lists {
		for _, p := range found[:len(ids)] {
			if p != nil {
				several[i] = append(several[i], *p)
			}
		}
		found = found[len(ids):]
	}
	return several, nil
}

// bookedRow is a payment with an entry of its first transfer: a payment has as many rows
// as that has entries, or one.
type bookedRow struct {
	Payment       paymentRow `gorm:"embedded"`
	EndedInBooks  bool
	TransferID    int64 // 0: there is no transfer
	RequestKey    string
	RequestHash   string
	Act           string
	Corrects      int64
	SubjectKind   string
	SubjectID     int64
	PostedAt      *time.Time
	TransferMac   []byte
	TransferKeyID string
	AccountID     int64
	EntryAmount   money.Amount
	TransitOf     *string // the biller whose funds in transit the entry's account has
}

// readWithBooks returns payments with their transfers in the books.
func readWithBooks(tx *database.Tx, ids []int64) (map[int64]Payment, error) {
	found := map[int64]Payment{}
	if len(ids) == 0 {
		return found, nil
	}
	these, list := database.InList(tx.Dialect(), ids)
	var rows []bookedRow
	err := tx.Gorm().Raw(`SELECT p.*, o.id IS NOT NULL AS ended_in_books,
			COALESCE(t.id, 0) AS transfer_id, COALESCE(t.request_key, '') AS request_key, COALESCE(t.request_hash, '') AS request_hash,
			COALESCE(t.act, '') AS act, COALESCE(t.corrects, 0) AS corrects, COALESCE(t.subject_kind, '') AS subject_kind,
			COALESCE(t.subject_id, 0) AS subject_id, t.posted_at, t.mac AS transfer_mac, COALESCE(t.key_id, '') AS transfer_key_id,
			COALESCE(e.account_id, 0) AS account_id, COALESCE(e.amount, 0) AS entry_amount, a.subject AS transit_of
		FROM (SELECT `+paymentColumns+` FROM payments WHERE id `+these+`) p
		LEFT JOIN transfers t ON t.request_key = 'payment:' || CAST(p.id AS VARCHAR) || ':accept'
		LEFT JOIN entries e ON e.transfer_id = t.id
		LEFT JOIN accounts a ON a.id = e.account_id AND a.kind = 'transit'
		LEFT JOIN transfers o ON o.request_key = 'payment:' || CAST(p.id AS VARCHAR) || ':end'
		ORDER BY p.id, e.line`, list).Scan(&rows).Error
	for _, r := range rows {
		p, known := found[r.Payment.ID]
		if !known {
			p = r.Payment.payment()
			p.accepted, p.endedInBooks = r.acceptance(), r.EndedInBooks
			found[p.ID] = p
		}
		p.accepted.add(r)
	}
	return found, err
}

// acceptance returns the transfer of a row without its entries; nil if there is none.
func (r bookedRow) acceptance() *acceptance {
	if r.TransferID == 0 || r.PostedAt == nil {
		return nil
	}
	a := &acceptance{
		id: r.TransferID, hash: r.RequestHash, postedAt: *r.PostedAt, mac: r.TransferMac, keyID: r.TransferKeyID, transit: map[int64]string{},
	}
	a.posting.Key, a.posting.Op, a.posting.Corrects = r.RequestKey, r.Act, r.Corrects
	a.posting.Subject = ledger.Subject{Type: ledger.SubjectType(r.SubjectKind), ID: r.SubjectID}
	return a
}

// add adds the entry of a row.
func (a *acceptance) add(r bookedRow) {
	if a == nil || r.AccountID == 0 {
		return
	}
	a.posting.Entries = append(a.posting.Entries, ledger.Entry{Account: r.AccountID, Amount: r.EntryAmount})
	if r.TransitOf != nil {
		a.transit[r.AccountID] = *r.TransitOf
	}
}

func byID(list []Payment, err error) (map[int64]Payment, error) {
	found := make(map[int64]Payment, len(list))
	for _, p := range list {
		found[p.ID] = p
	}
	return found, err
}

// newestPayments is how many of a customer's payments readNewest reads. What was last paid
// before them is not offered again.
const newestPayments = 20

// readNewest reads the newest payments of customers, on PostgreSQL: what pages show of them.
func (ps *Payments) readNewest(ctx context.Context, customers []int64) ([][]Payment, error) {
	type numbered struct {
		number int64 // of the customer, from 1
		Payment
	}
	rows, err := database.ScanAll(ps.db.Gorm(ctx).Raw(`SELECT c.number, p.id, p.customer_id, p.service, p.identifier, p.payee, p.amount, p.state
		FROM unnest(?::bigint[]) WITH ORDINALITY c(id, number)
		CROSS JOIN LATERAL (SELECT * FROM payments WHERE customer_id = c.id ORDER BY accepted_at DESC LIMIT ?) p
		ORDER BY c.number, p.accepted_at DESC`, &customers, newestPayments), func(r *numbered) []any {
		return []any{&r.number, &r.ID, &r.CustomerID, &r.Service, &r.Identifier, &r.Payee, &r.Amount, &r.State}
	})
	lists := make([][]Payment, len(customers))
	for _, r := range rows {
		lists[r.number-1] = append(lists[r.number-1], r.Payment)
	}
	return lists, err
}

func readNewestOf(ctx context.Context, db *database.DB, customer int64) ([]Payment, error) {
	return payments(db.Gorm(ctx), "customer_id = ? ORDER BY accepted_at DESC LIMIT ?", customer, newestPayments)
}

func readAcceptedSince(ctx context.Context, db *database.DB, customerID int64, service string, at time.Time) (bool, error) {
	var ids []int64
	err := db.Gorm(ctx).Raw("SELECT id FROM payments WHERE customer_id = ? AND accepted_at >= ? AND service = ? LIMIT 1",
		customerID, database.StoredTime(at), service).Scan(&ids).Error
	return len(ids) > 0, err
}

func insertDraft(tx *database.Tx, d Draft) error {
	return tx.Gorm().Exec(`INSERT INTO drafts (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id,
		channel, made_at, expires_at, mac, key_id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		d.ID, d.CustomerID, d.Service, d.Biller, d.Identifier, d.Payee, d.Amount, d.Fee, d.TxnID,
		d.Channel, d.MadeAt, d.ExpiresAt, d.MAC, d.KeyID).Error
}

func readDraft(ctx context.Context, db *database.DB, id int64) (Draft, error) {
	var rows []Draft
	err := db.Gorm(ctx).Raw("SELECT "+database.ColumnsOf[Draft]()+" FROM drafts WHERE id = ?", id).Scan(&rows).Error
	if err != nil {
		return Draft{}, err
	}
	if len(rows) == 0 {
		return Draft{}, fault.New(fault.NotFound, "payment.draft", "")
	}
	d := rows[0]
	//mutant:replace d.Verify(ctx, db, d.Record()) => nil TestForgedDraftIsRefused
	return d, d.Verify(ctx, db, d.Record())
}

// accepting is a draft, and whether there is a payment of it already.
type accepting struct {
	Draft
	Accepted bool
}

func (ps *Payments) readAccepting(ctx context.Context, ids []int64) ([]*accepting, error) {
	these, list := database.InList(ps.db.Dialect(), ids)
	rows, err := database.ScanAll(ps.db.Gorm(ctx).Raw(`SELECT d.id, d.customer_id, d.service, d.biller, d.identifier, d.payee, d.amount, d.fee,
			d.txn_id, d.channel, d.made_at, d.expires_at, d.confirmed_by, d.mac, d.key_id, p.id IS NOT NULL
		FROM drafts d LEFT JOIN payments p ON p.id = d.id WHERE d.id `+these, list), func(a *accepting) []any {
		return []any{
			&a.ID, &a.CustomerID, &a.Service, &a.Biller, &a.Identifier, &a.Payee, &a.Amount, &a.Fee,
			&a.TxnID, &a.Channel, &a.MadeAt, &a.ExpiresAt, &a.ConfirmedBy, &a.MAC, &a.KeyID, &a.Accepted,
		}
	})
	return database.AlignRows(ids, rows, func(a accepting) int64 { return a.ID }), err
}

func rowsOf(tx *database.Tx, rows []Payment) (database.Rows, error) {
	now, macs, keyID := tx.Now(), make([][]byte, len(rows)), ""
	for i := range rows {
		rows[i].AcceptedAt = now
		macs[i], keyID = tx.Sign(rows[i].Record())
	}
	return database.Rows{Table: "payments", Columns: []database.Column{
		database.ColumnOf("id", "bigint", rows, func(p *Payment) int64 { return p.ID }),
		database.ColumnOf("customer_id", "bigint", rows, func(p *Payment) int64 { return p.CustomerID }),
		database.ColumnOf("service", "text", rows, func(p *Payment) string { return p.Service }),
		database.ColumnOf("biller", "text", rows, func(p *Payment) string { return p.Biller }),
		database.ColumnOf("identifier", "text", rows, func(p *Payment) string { return p.Identifier }),
		database.ColumnOf("payee", "text", rows, func(p *Payment) string { return p.Payee }),
		database.ColumnOf("amount", "bigint", rows, func(p *Payment) int64 { return int64(p.Amount) }),
		database.ColumnOf("fee", "bigint", rows, func(p *Payment) int64 { return int64(p.Fee) }),
		database.ColumnOf("txn_id", "text", rows, func(p *Payment) string { return p.TxnID }),
		database.ColumnOf("code", "text", rows, func(p *Payment) string { return p.Code }),
		database.ColumnOf("channel", "text", rows, func(p *Payment) string { return string(p.Channel) }),
		database.ConstColumn("state", "text", string(Processing)), database.ConstColumn("accepted_at", "timestamptz", now),
		database.ConstColumn("due_at", "timestamptz", now),
		database.NewColumn("mac", "bytea", macs), database.ConstColumn("key_id", "text", keyID),
	}}, nil
}

// updateEnded ends payments. A refund by an answer requires the lease of its call.
func updateEnded(tx *database.Tx, rows []ending) error {
	var ids, results, leases []int64
	var states, references, grounds []string
	for _, r := range rows {
		if r.state != Refunded {
			r.ground = ""
		}
		grounds = append(grounds, string(r.ground))
		ids, results, leases = append(ids, r.payment.ID), append(results, int64(r.result)), append(leases, r.requiredLease())
		states, references = append(states, string(r.state)), append(references, r.reference)
	}
	v, args := tx.Values(
		database.NewColumn("id", "bigint", ids), database.NewColumn("state", "text", states),
		database.NewColumn("result", "bigint", results), database.NewColumn("reference", "text", references),
		database.NewColumn("refund_ground", "text", grounds), database.NewColumn("lease", "bigint", leases),
	)
	// CASE hides the condition from the planner, which would otherwise scan the
	// partial index of due payments instead of looking up the ids.
	result := tx.Gorm().Exec("WITH v(id, state, result, reference, refund_ground, lease) AS ("+v+`)
		UPDATE payments SET state = v.state, result = v.result, reference = v.reference, refund_ground = v.refund_ground, ended_at = ?
		FROM v WHERE payments.id = v.id AND v.lease IN (0, payments.lease) AND CASE WHEN payments.state = 'processing' THEN 1 ELSE 0 END = 1`, append(args, tx.Now())...)
	if result.Error == nil && result.RowsAffected != int64(len(rows)) {
		return database.ErrRowCount
	}
	return result.Error
}
