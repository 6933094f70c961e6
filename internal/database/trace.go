package database

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3"
)

// tracePostgres implements pgx.QueryTracer and pgx.BatchTracer for WithTrace.
type tracePostgres func(statement string, args []any)

// TraceQueryStart implements pgx.QueryTracer.
func (trace tracePostgres) TraceQueryStart(ctx context.Context, _ *pgx.Conn, query pgx.TraceQueryStartData) context.Context {
	trace(query.SQL, query.Args)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tracePostgres) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (trace tracePostgres) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, query := range data.Batch.QueuedQueries {
		trace(query.SQL, query.Arguments)
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (tracePostgres) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (tracePostgres) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// traceSQLite returns a function that installs the trace on a new connection.
func traceSQLite(trace func(statement string, args []any)) func(*sqlite3.Conn) error {
	return func(connection *sqlite3.Conn) error {
		if trace == nil {
			return nil
		}
		return connection.Trace(sqlite3.TRACE_STMT, func(_ sqlite3.TraceEvent, _, statement any) error {
			if text, ok := statement.(string); ok {
				trace(text, nil)
			}
			return nil
		})
	}
}
