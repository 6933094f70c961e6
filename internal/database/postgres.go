package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// abandoned is the setting that ends a transaction whose client is idle.
const abandoned = "idle_in_transaction_session_timeout"

// sessionSettings are set on each connection, whatever the role or the database
// has. They are what the program's statements and the audit's comparison of
// stored definitions rely on.
var sessionSettings = map[string]string{
	"timezone":                    "UTC",
	"quote_all_identifiers":       "off",
	"standard_conforming_strings": "on",
	// A commit is acknowledged once it is on the disk, and on the synchronous
	// standbys. One whose wait for these was cut short says so by a warning.
	//mutant:replace on => local TestRoleSettingsDoNotWeakenCommits
	"synchronous_commit": "on",
	//mutant:replace warning => error TestRoleSettingsDoNotWeakenCommits
	"client_min_messages": "warning",
	// A plan that was made while a table was small reads all of it, and is kept
	// while the table grows, until its next ANALYZE; for lookups of a few keys
	// an index is never much worse. (jit takes what has none for very costly.)
	//mutant:drop TestPlansUseIndexes
	"enable_seqscan": "off",
	"jit":            "off",
	// By itself PostgreSQL plans what has arrays anew each time, to the same plan.
	"plan_cache_mode": "force_generic_plan",
}

func (db *DB) openPostgres(address string) (*sql.DB, error) {
	config, err := parsePostgres(address)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "elsom"
	}
	for name, value := range sessionSettings {
		if name == "synchronous_commit" && config.RuntimeParams[name] == "remote_apply" {
			continue // stronger than required
		}
		config.RuntimeParams[name] = value
	}
	// If a client machine is lost inside a transaction, its locks would remain
	// until TCP keepalive fails, by default after two hours.
	if config.RuntimeParams[abandoned] == "" {
		//mutant:replace "10s" => "0" TestAbandonedAfterTenSeconds
		config.RuntimeParams[abandoned] = "10s"
	}
	if db.trace != nil {
		config.Tracer = tracePostgres(db.trace)
	}
	// Of several servers one accepts writes, and which one may change.
	if config.ValidateConnect == nil && len(hostsOf(config)) > 1 {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.OnNotice = noteWarning
	config.DialFunc = dialer().DialContext
	db.postgres = &connector{Connector: stdlib.GetConnector(*config)}
	pool := sql.OpenDB(db.postgres)
	pool.SetMaxOpenConns(MaxConnections)
	pool.SetMaxIdleConns(MaxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool, nil
}

// parsePostgres reads an address. Its error never has the address, which may
// hold a password, and pgx's own words quote it; what is passed on is why a
// file that the address names can't be read.
func parsePostgres(address string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err == nil {
		return config, nil
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		return nil, fmt.Errorf("database: the postgres address names a file that can't be read: %w", file)
	}
	return nil, errors.New("database: the postgres address can't be read")
}

// hostsOf lists the different servers of an address.
func hostsOf(config *pgx.ConnConfig) map[string]bool {
	hosts := map[string]bool{endpoint(config.Host, config.Port): true}
	for _, f := range config.Fallbacks {
		hosts[endpoint(f.Host, f.Port)] = true
	}
	return hosts
}

func endpoint(host string, port uint16) string { return net.JoinHostPort(host, fmt.Sprint(port)) }

// UsesPlaintext reports whether a postgres address may lead to another machine
// without TLS, where the network could read and change what passes.
func UsesPlaintext(address string) bool {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return false // Open says so
	}
	open := config.TLSConfig == nil && !onThisMachine(config.Host)
	for _, f := range config.Fallbacks {
		open = open || (f.TLSConfig == nil && !onThisMachine(f.Host))
	}
	return open
}

// onThisMachine reports whether a host is a Unix socket or the loopback.
func onThisMachine(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Generation changes when the database may be on another server than before, for
// what is remembered of its rows.
func (db *DB) Generation() int64 {
	if db.postgres == nil {
		return 0
	}
	return db.postgres.generation.Load()
}

// connector opens connections and counts their generations: connections of an
// older generation are closed.
type connector struct {
	driver.Connector
	generation atomic.Int64
	left       atomic.Int64 // when last, in milliseconds
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	generation := c.generation.Load()
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(*stdlib.Conn)
	if !ok {
		_ = opened.Close()
		return nil, errors.New("database: not a connection of pgx")
	}
	return &postgresConn{Conn: conn, of: c, generation: generation}, nil
}

// discard makes the pool close the connections of a generation as they come
// back.
func (c *connector) discard(generation int64) {
	c.generation.CompareAndSwap(generation, generation+1)
}

// leave discards the connections of a generation whose server cannot serve any
// more, so that new ones find the server that accepts writes. It does so at most
// every 500 ms, since perhaps no server does.
func (c *connector) leave(generation int64) {
	const pause = 500
	now := time.Now().UnixMilli()
	if last := c.left.Load(); now-last >= pause && c.left.CompareAndSwap(last, now) {
		c.discard(generation)
	}
}

// postgresConn is a connection of pgx that is closed when its server accepts no
// writes, prepares a statement again if its plan is outdated, and never cancels a
// COMMIT. It is used by one goroutine at a time.
type postgresConn struct {
	*stdlib.Conn
	of         *connector
	generation int64
	reading    bool // in a transaction that only reads by our own wish
}

var (
	_ driver.QueryerContext  = (*postgresConn)(nil)
	_ driver.ExecerContext   = (*postgresConn)(nil)
	_ driver.SessionResetter = (*postgresConn)(nil)
	_ driver.Validator       = (*postgresConn)(nil)
)

func (c *postgresConn) outdated() bool { return c.generation != c.of.generation.Load() }

// ResetSession implements driver.SessionResetter.
func (c *postgresConn) ResetSession(ctx context.Context) error {
	if c.outdated() {
		return driver.ErrBadConn
	}
	err := c.Conn.ResetSession(ctx)
	c.checkError(err)
	return err
}

// IsValid implements driver.Validator.
func (c *postgresConn) IsValid() bool { return !c.outdated() && !c.Conn.Conn().IsClosed() }

// ExecContext implements driver.ExecerContext.
func (c *postgresConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.forgetWarning()
	result, err := run(c, func() (driver.Result, error) { return c.Conn.ExecContext(ctx, query, args) })
	if err == nil && !c.inTransaction() && c.warned() {
		return nil, errNotReplicated // it was its own commit
	}
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c *postgresConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return run(c, func() (driver.Rows, error) { return c.Conn.QueryContext(ctx, query, args) })
}

// run runs a statement, outside a transaction once more where its prepared form
// is out of date: pgx has dropped it by then. In a transaction, which has failed
// as a whole, InTx does that.
func run[T any](c *postgresConn, statement func() (T, error)) (T, error) {
	result, err := statement()
	if c.checkError(err); outdatedPlan(err) && !c.inTransaction() {
		result, err = statement()
		c.checkError(err)
	}
	return result, err
}

// checkError discards connections if an error says that they are unusable.
func (c *postgresConn) checkError(err error) {
	switch {
	case outdatedPlan(err):
		c.of.discard(c.generation)
	case (cannotServe(err) && !c.reading) || (err != nil && lostConnection(err)):
		c.of.leave(c.generation)
	}
}

func (c *postgresConn) inTransaction() bool { return c.Conn.Conn().PgConn().TxStatus() != 'I' }

// BeginTx implements driver.ConnBeginTx.
func (c *postgresConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if _, err := c.Conn.BeginTx(ctx, options); err != nil {
		c.checkError(err)
		return nil, err
	}
	c.reading = options.ReadOnly
	return postgresTx{c}, nil
}

// postgresTx ends a transaction regardless of the context with which it began:
// pgx would cancel the server's work when that ends. A COMMIT that waits for
// synchronous standbys would thereby be cut short, and its rows shown to
// everybody though they can still be lost.
type postgresTx struct{ conn *postgresConn }

// Commit implements driver.Tx.
func (t postgresTx) Commit() error {
	c := t.conn
	c.forgetWarning()
	//mutant:replace tag, err := c.Conn.Conn().Exec(context.Background(), "commit") => ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond); defer cancel(); tag, err := c.Conn.Conn().Exec(ctx, "commit") TestCommitOutlivesItsCaller
	tag, err := c.Conn.Conn().Exec(context.Background(), "commit")
	c.reading = false
	if err != nil {
		c.checkError(err)
		if c.inTransaction() {
			_ = c.Close()
		}
		return err
	}
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	//mutant:drop TestCancelledWaitIsUnknown
	if c.warned() {
		return errNotReplicated
	}
	return nil
}

// Rollback implements driver.Tx.
func (t postgresTx) Rollback() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := t.conn.Conn.Conn().Exec(ctx, "rollback")
	t.conn.reading = false
	if err != nil {
		_ = t.conn.Close() // its state is unknown
	}
	return err
}

// errNotReplicated is a commit that the server has made on its own disk and
// whose wait for its standbys was cut short, as by an operator's
// pg_cancel_backend. It is no refusal and no success: what it wrote can be read,
// and is lost if a standby takes over.
var errNotReplicated = errors.New("database: committed here, but its wait for the synchronous standbys was cancelled")

const warning = "elsom: warning"

// noteWarning marks a connection whose server warns. What a COMMIT is warned
// with, by code since the words are translated, is a cancelled wait.
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" && (n.Code == "01000" || n.Code == "57P01") {
		c.CustomData()[warning] = true
	}
}

func (c *postgresConn) forgetWarning() { delete(c.Conn.Conn().PgConn().CustomData(), warning) }

func (c *postgresConn) warned() bool {
	return c.Conn.Conn().PgConn().CustomData()[warning] != nil
}

// outdatedPlan reports whether a prepared statement doesn't fit the schema any
// more (a column was added), or isn't there (a pooler gave us another server
// connection).
func outdatedPlan(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	//mutant:replace pg.Code == "26000" || (pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery") => false TestOutdatedPlanIsPreparedAgain
	return pg.Code == "26000" || (pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery")
}

// cannotServe reports whether a server says that it takes no writes, goes down,
// comes up, or has lost the connection: another one may serve us.
func cannotServe(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return readOnly(pg.Code) || goingDown(pg.Code) || strings.HasPrefix(pg.Code, "08")
}

//mutant:replace { return code == "25006" } => { return code == "25006" && false } ./internal/e2e/chaos TestReadOnlyServerIsUnavailable
func readOnly(code string) bool { return code == "25006" }

//mutant:replace 57P01" || code == "57P02 => 57P02 TestLostConnectionIsRetried
func goingDown(code string) bool { return code == "57P01" || code == "57P02" || code == "57P03" }
