package database

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// Arrays are encoded as pgx encodes them.
func TestArraysAreEncodedAsByPgx(t *testing.T) {
	t.Parallel()
	number, text := int64(-7), "Достэк"
	at := time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.FixedZone("+06", 6*3600))
	for _, c := range []struct {
		oid    uint32
		values []any
	}{
		{pgtype.Int8ArrayOID, []any{&[]int64{0, 1, -1, 1<<63 - 1, -1 << 63}, &[]int64{}, new([]int64), &[]*int64{nil, &number}, &[]*int64{&number}}},
		{pgtype.TextArrayOID, []any{&[]string{"", text, "{,}\"\\"}, &[]string{}, new([]string), &[]*string{&text, nil, new("")}}},
		{pgtype.ByteaArrayOID, []any{&[][]byte{{0, 255}, {}, nil}, &[][]byte{}, new([][]byte)}},
		{pgtype.TimestamptzArrayOID, []any{&[]time.Time{at, time.Unix(0, 0), time.Date(1999, 12, 31, 23, 59, 59, 999, time.UTC)}, new([]time.Time)}},
	} {
		known, _ := pgtype.NewMap().TypeForOID(c.oid)
		codec := arrayCodec{known.Codec.(*pgtype.ArrayCodec)}
		for _, value := range c.values {
			want, err := pgtype.NewMap().Encode(c.oid, pgtype.BinaryFormatCode, value, []byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			plan := codec.PlanEncode(pgtype.NewMap(), c.oid, pgtype.BinaryFormatCode, value)
			if _, ours := plan.(arrayPlan); !ours {
				t.Errorf("%T has the plan %T", value, plan)
			}
			got, err := plan.Encode(value, []byte("before"))
			if err != nil || (got == nil) != (want == nil) || !bytes.Equal(got, want) {
				t.Errorf("%T %v:\n%x, not\n%x; %v", value, reflect.ValueOf(value).Elem(), got, want, err)
			}
		}
	}
}
