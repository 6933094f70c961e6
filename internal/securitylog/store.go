package securitylog

import (
	"context"
	"math"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

type row struct {
	ID          int64
	At          time.Time
	KeepUntilMs int64
	Event       Event
	Outcome     Outcome
	Detail      string
	Number      string
	Wallet      int64
	Network     string
	Browser     string
	Device      string
	Caller      string
	RequestID   string
	Count       int64
}

func (row) TableName() string { return "security_events" }

// batch is the number of rows of one INSERT; SQLite takes 32,766 values.
const batch = 1000

// insert writes rows that may have been written before.
func insert(ctx context.Context, db *database.DB, rows []row) error {
	return db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Insert(database.Rows{Table: row{}.TableName(), OnConflict: "ON CONFLICT (id) DO NOTHING", Columns: []database.Column{
			database.ColumnOf("id", "bigint", rows, func(r *row) int64 { return r.ID }),
			database.ColumnOf("at", "timestamptz", rows, func(r *row) time.Time { return r.At }),
			database.ColumnOf("keep_until_ms", "bigint", rows, func(r *row) int64 { return r.KeepUntilMs }),
			database.ColumnOf("event", "text", rows, func(r *row) string { return string(r.Event) }),
			database.ColumnOf("outcome", "text", rows, func(r *row) string { return string(r.Outcome) }),
			database.ColumnOf("detail", "text", rows, func(r *row) string { return r.Detail }),
			database.ColumnOf("number", "text", rows, func(r *row) string { return r.Number }),
			database.ColumnOf("wallet", "bigint", rows, func(r *row) int64 { return r.Wallet }),
			database.ColumnOf("network", "text", rows, func(r *row) string { return r.Network }),
			database.ColumnOf("browser", "text", rows, func(r *row) string { return r.Browser }),
			database.ColumnOf("device", "text", rows, func(r *row) string { return r.Device }),
			database.ColumnOf("caller", "text", rows, func(r *row) string { return r.Caller }),
			database.ColumnOf("request_id", "text", rows, func(r *row) string { return r.RequestID }),
			database.ColumnOf("count", "bigint", rows, func(r *row) int64 { return r.Count }),
		}})
	})
}

// Query selects rows; zero fields select all.
type Query struct {
	Since   time.Time
	Event   Event
	Outcome Outcome
	Number  phone.Number
	// Wallet is the wallet of Number; its events are selected too.
	Wallet int64
}

// Row is a stored event, or Count events that differ in browser and request only;
// At is the time of the last one.
type Row struct {
	At      time.Time `json:"at"`
	Event   Event     `json:"event"`
	Outcome Outcome   `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
	// Number is the keyed hash of the number.
	Number    string `json:"number,omitempty"`
	Wallet    int64  `json:"wallet,omitempty,string"`
	Network   string `json:"network,omitempty"`
	Browser   string `json:"browser,omitempty"`
	Caller    string `json:"caller,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Count     int64  `json:"count"`
}

// Each calls do with the rows of a query, oldest first, until it returns an error.
func (l *Log) Each(ctx context.Context, q Query, do func(Row) error) error {
	after := database.FirstID(q.Since) - 1
	for {
		rows, err := l.page(ctx, q, after)
		if err != nil {
			return fault.Wrap("securitylog.read", err)
		}
		for _, r := range rows {
			if err := do(Row{
				//mutant:replace r.At.UTC() => r.At.In(time.FixedZone("", 6*60*60)) ./cmd/elsom TestSecurityLogCommand
				At: r.At.UTC(), Event: r.Event, Outcome: r.Outcome, Detail: r.Detail, Number: r.Number, Wallet: r.Wallet,
				Network: r.Network, Browser: r.Browser, Caller: r.Caller, RequestID: r.RequestID, Count: r.Count,
			}); err != nil {
				return err
			}
			after = r.ID
		}
		if len(rows) < batch {
			return nil
		}
	}
}

// page returns the next rows of a query. Ids increase with time.
func (l *Log) page(ctx context.Context, q Query, after int64) (rows []row, err error) {
	find := l.db.Gorm(ctx).Where("id > ?", after)
	if q.Event != "" {
		find = find.Where("event = ?", q.Event)
	}
	if q.Outcome != "" {
		find = find.Where("outcome = ?", q.Outcome)
	}
	if q.Number != "" {
		hashes := make([]string, len(l.keys))
		for i, key := range l.keys {
			hashes[i] = hash(key, "number", q.Number.String())
		}
		in, list := database.InList(l.db.Dialect(), hashes)
		if q.Wallet != 0 {
			find = find.Where("(number "+in+" OR wallet = ?)", list, q.Wallet)
		} else {
			find = find.Where("number "+in, list)
		}
	}
	err = find.Select(database.ColumnsOf[row]()).Order("id").Limit(batch).Find(&rows).Error
	return rows, err
}

// readLogins returns the logins by the hash of a number, with ids of at least from and below before
// (0: none), newest first.
func readLogins(ctx context.Context, db *database.DB, number string, from, before int64, n int) (rows []row, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	//mutant:replace AND id >= ? => AND id <> ? TestLoginsByPages
	//mutant:replace AND id < ? => AND id <> ? TestLoginsByPages
	err = db.Gorm(ctx).Raw(`SELECT `+database.ColumnsOf[row]()+` FROM security_events
		WHERE number = ? AND event IN ('login', 'signup', 'password_reset') AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?`,
		number, from, before, n).Scan(&rows).Error
	return rows, err
}

// purge deletes rows that may be deleted; the database refuses to delete others.
func purge(ctx context.Context, db *database.DB, nowMs int64) (int64, error) {
	return db.Purge(ctx, `DELETE FROM security_events WHERE keep_until_ms <= ? AND id IN
		(SELECT id FROM security_events WHERE keep_until_ms <= ? LIMIT ?)`, nowMs, nowMs)
}
