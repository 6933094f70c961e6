package database

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// arrayTypes are the PostgreSQL types of the arrays that columns and lists are passed as.
var arrayTypes = []uint32{pgtype.Int8ArrayOID, pgtype.TextArrayOID, pgtype.ByteaArrayOID, pgtype.TimestamptzArrayOID}

// registerArrays makes a connection encode arrays with arrayPlan.
func registerArrays(_ context.Context, conn *pgx.Conn) error {
	types := conn.TypeMap()
	for _, oid := range arrayTypes {
		if t, ok := types.TypeForOID(oid); ok {
			if codec, ok := t.Codec.(*pgtype.ArrayCodec); ok {
				types.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: arrayCodec{codec}})
			}
		}
	}
	return nil
}

// arrayCodec is pgx's codec of an array type, except for the Go types that arrayPlan
// encodes.
type arrayCodec struct{ *pgtype.ArrayCodec }

// PlanEncode implements pgtype.Codec.
func (c arrayCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	ours := false
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case *[]int64, *[]*int64:
			ours = oid == pgtype.Int8ArrayOID
		case *[]string, *[]*string:
			ours = oid == pgtype.TextArrayOID
		case *[][]byte:
			ours = oid == pgtype.ByteaArrayOID
		case *[]time.Time:
			ours = oid == pgtype.TimestamptzArrayOID
		}
	}
	if ours {
		return arrayPlan{c.ElementType.OID}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// arrayPlan encodes arrays in PostgreSQL's binary format. pgx encodes them by
// reflection, with an allocation for each element; in a batch of payments that is more
// than everything else that is allocated.
type arrayPlan struct{ element uint32 }

// Encode implements pgtype.EncodePlan.
func (p arrayPlan) Encode(value any, buf []byte) ([]byte, error) {
	switch v := value.(type) {
	case *[]int64:
		return appendArray(buf, p.element, *v, appendInt64), nil
	case *[]*int64:
		return appendArray(buf, p.element, *v, nullable(appendInt64)), nil
	case *[]string:
		return appendArray(buf, p.element, *v, appendText), nil
	case *[]*string:
		return appendArray(buf, p.element, *v, nullable(appendText)), nil
	case *[][]byte:
		return appendArray(buf, p.element, *v, appendBytes), nil
	default:
		return appendArray(buf, p.element, *value.(*[]time.Time), appendTime), nil
	}
}

// appendArray appends an array of one dimension: the number of dimensions, whether
// there are NULLs, the type of the elements, the length, the lower bound, and each
// element after its size. appendElement returns nil for NULL, which has the size -1. A
// nil slice is a NULL array.
func appendArray[T any](buf []byte, element uint32, values []T, appendElement func([]byte, T) []byte) []byte {
	if values == nil {
		return nil
	}
	buf = binary.BigEndian.AppendUint32(buf, 1)
	nulls := len(buf)
	buf = binary.BigEndian.AppendUint32(buf, 0)
	buf = binary.BigEndian.AppendUint32(buf, element)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(values)))
	buf = binary.BigEndian.AppendUint32(buf, 1)
	for _, v := range values {
		size := len(buf)
		buf = binary.BigEndian.AppendUint32(buf, 1<<32-1)
		appended := appendElement(buf, v)
		if appended == nil {
			binary.BigEndian.PutUint32(buf[nulls:], 1)
			continue
		}
		buf = appended
		binary.BigEndian.PutUint32(buf[size:], uint32(len(buf)-size-4))
	}
	return buf
}

func appendInt64(buf []byte, n int64) []byte { return binary.BigEndian.AppendUint64(buf, uint64(n)) }

func appendText(buf []byte, s string) []byte { return append(buf, s...) }

func appendBytes(buf, b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(buf, b...)
}

// postgresEpoch is the zero of PostgreSQL's times, in Unix microseconds.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func appendTime(buf []byte, t time.Time) []byte { return appendInt64(buf, t.UnixMicro()-postgresEpoch) }

func nullable[T any](appendElement func([]byte, T) []byte) func([]byte, *T) []byte {
	return func(buf []byte, v *T) []byte {
		if v == nil {
			return nil
		}
		return appendElement(buf, *v)
	}
}
