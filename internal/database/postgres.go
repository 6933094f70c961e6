package database

import (
	"context"
	"crypto/tls"
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

// idleTimeout is the setting that ends transactions whose client is idle.
const idleTimeout = "idle_in_transaction_session_timeout"

// sessionSettings are set on each connection and override those of the role and the
// database. The program's statements and the audit's comparison of stored definitions
// depend on them.
var sessionSettings = map[string]string{
	"timezone":                    "UTC",
	"quote_all_identifiers":       "off",
	"standard_conforming_strings": "on",
	// A commit is acknowledged once it is on disk and on the synchronous standbys. If
	// the wait for the standbys is canceled, the server sends a warning.
	//mutant:replace on => local TestRoleSettingsDoNotWeakenCommits
	"synchronous_commit": "on",
	//mutant:replace warning => error TestRoleSettingsDoNotWeakenCommits
	"client_min_messages": "warning",
	// A generic plan made while a table is small scans it, and remains in use while the
	// table grows until the next ANALYZE. For lookups of a few keys an index is never
	// much slower. (jit would be triggered by the cost of tables without an index.)
	//mutant:drop TestPlansUseIndexes
	"enable_seqscan": "off",
	"jit":            "off",
	// PostgreSQL would plan statements with array parameters each time, with the same
	// result.
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
	if config.RuntimeParams[idleTimeout] == "" {
		//mutant:replace "10s" => "0" TestAbandonedAfterTenSeconds
		config.RuntimeParams[idleTimeout] = "10s"
	}
	if db.trace != nil {
		config.Tracer = tracePostgres(db.trace)
	}
	// Of several servers one accepts writes, and a failover changes which one.
	if config.ValidateConnect == nil && len(hostsOf(config)) > 1 {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.OnNotice = noteWarning
	config.DialFunc = dialer().DialContext
	db.postgres = &connector{Connector: stdlib.GetConnector(*config, stdlib.OptionAfterConnect(registerArrays))}
	pool := sql.OpenDB(db.postgres)
	pool.SetMaxOpenConns(MaxConnections)
	pool.SetMaxIdleConns(MaxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool, nil
}

// parsePostgres parses an address. Its error never contains the address, which may have
// a password, and so not pgx's error, except for a file that can't be read.
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

// hostsOf returns the different servers of an address.
func hostsOf(config *pgx.ConnConfig) map[string]bool {
	hosts := map[string]bool{endpoint(config.Host, config.Port): true}
	for _, f := range config.Fallbacks {
		hosts[endpoint(f.Host, f.Port)] = true
	}
	return hosts
}

func endpoint(host string, port uint16) string { return net.JoinHostPort(host, fmt.Sprint(port)) }

// UsesPlaintext reports whether a connection to a postgres address may use another
// machine without TLS.
func UsesPlaintext(address string) bool {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return false // Open returns the error
	}
	plaintext := config.TLSConfig == nil && !onThisMachine(config.Host)
	for _, f := range config.Fallbacks {
		//mutant:drop TestUsesPlaintext
		plaintext = plaintext || (f.TLSConfig == nil && !onThisMachine(f.Host))
	}
	return plaintext
}

// TrustsAnyServer reports whether a connection to a postgres address may use TLS to
// another machine without verifying its certificate: sslmode=require without a root
// certificate. Another server could then answer in its place.
func TrustsAnyServer(address string) bool {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return false // Open returns the error
	}
	unverified := func(t *tls.Config, host string) bool {
		//mutant:replace && t.VerifyPeerCertificate == nil => TestTrustsAnyServer
		return t != nil && t.InsecureSkipVerify && t.VerifyPeerCertificate == nil && !onThisMachine(host)
	}
	found := unverified(config.TLSConfig, config.Host)
	for _, f := range config.Fallbacks {
		found = found || unverified(f.TLSConfig, f.Host)
	}
	return found
}

// onThisMachine reports whether a host is a Unix socket or the loopback.
func onThisMachine(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Generation changes when the database may be on another server than before, so that
// caches of its rows must be dropped.
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
	left       atomic.Int64 // time of the last leave, Unix milliseconds
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

// discard makes the pool close the connections of a generation when they are returned.
func (c *connector) discard(generation int64) {
	c.generation.CompareAndSwap(generation, generation+1)
}

// leave discards the connections of a generation whose server can't serve, so that new
// ones are made to the server that accepts writes. It does so at most every 500 ms,
// since there may be no such server.
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
	reading    bool // in a transaction that was begun as read-only
	waiting    []waitingStatement
	notBegun   bool // in a transaction whose BEGIN was not run, because its first statement failed before
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
	//mutant:drop TestFirstStatementFails
	if c.notBegun {
		return nil, errNotBegun
	}
	if c.wait(ctx, query, args) {
		return driver.RowsAffected(0), nil
	}
	if len(c.waiting) > 0 {
		tag, err := c.exec(ctx, waitingStatement{query, args, anyRows})
		return driver.RowsAffected(tag.RowsAffected()), err
	}
	result, err := run(c, func() (driver.Result, error) { return c.Conn.ExecContext(ctx, query, args) })
	if err == nil && !c.inTransaction() && c.warned() {
		return nil, errNotReplicated // the statement was a transaction of its own
	}
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c *postgresConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.notBegun {
		return nil, errNotBegun
	}
	if len(c.waiting) > 0 {
		return c.query(ctx, query, args)
	}
	return run(c, func() (driver.Rows, error) { return c.Conn.QueryContext(ctx, query, args) })
}

// run runs a statement. If its prepared form is outdated, pgx has dropped it, and run
// runs the statement again; inside a transaction, which has failed as a whole, InTx
// does.
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

func (c *postgresConn) inTransaction() bool { return len(c.waiting) > 0 || c.open() }

// open reports whether the server has a transaction open.
func (c *postgresConn) open() bool { return c.Conn.Conn().PgConn().TxStatus() != 'I' }

// outdatedPlan reports whether a prepared statement no longer fits the schema (a column
// was added) or does not exist (a pooler switched to another server connection).
func outdatedPlan(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	//mutant:replace pg.Code == "26000" || (pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery") => false TestOutdatedPlanIsPreparedAgain
	return pg.Code == "26000" || (pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery")
}

// cannotServe reports whether a server returned that it is read-only, shutting down,
// starting or has lost the connection. Another server may be able to serve.
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
