package fault

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestKindsHaveNames(t *testing.T) {
	if len(Kinds()) != int(Unknown)+1 {
		t.Fatalf("%d kinds are listed, want %d", len(Kinds()), int(Unknown)+1)
	}
	seen := map[string]bool{}
	for _, kind := range Kinds() {
		if seen[kind.String()] || strings.HasPrefix(kind.String(), "kind ") {
			t.Errorf("kind %d is named %q", int(kind), kind)
		}
		seen[kind.String()] = true
	}
	if Kind(99).String() != "kind 99" || Kind(-1).String() != "kind -1" {
		t.Errorf("unknown kinds are named %q and %q", Kind(99), Kind(-1))
	}
}

func TestUnclassifiedIsInternal(t *testing.T) {
	if KindOf(io.EOF) != Internal || (&Error{}).Kind != Internal {
		t.Error("an unclassified error is not Internal")
	}
	if Is(nil, Internal) || As(nil) != nil {
		t.Error("nil is a fault")
	}
}

func TestKindAndCauseAreKept(t *testing.T) {
	f := New(Limit, "payment.quote", "payment.too_much").At("amount").With("Most", 5).Because(io.EOF).After(time.Minute)
	wrapped := fmt.Errorf("while testing: %w", f)
	if !Is(wrapped, Limit) || !errors.Is(wrapped, io.EOF) {
		t.Errorf("%v lost its kind or its cause", wrapped)
	}
	if got := As(wrapped); got.Field != "amount" || got.Args["Most"] != 5 || got.RetryAfter != time.Minute {
		t.Errorf("as a fault: %+v", got)
	}
	if f.Error() != "payment.quote: limit (payment.too_much): EOF" {
		t.Errorf("in the log: %s", f)
	}
}

func TestWrapKeepsTheKind(t *testing.T) {
	if Wrap("a.b", nil) != nil {
		t.Error("nil became an error")
	}
	f := New(Conflict, "a.b", "")
	if err := Wrap("c.d", fmt.Errorf("x: %w", f)); As(err) != f {
		t.Errorf("a conflict became %v", err)
	}
	if err := Wrap("c.d", io.EOF); As(err).Op != "c.d" || !Is(err, Internal) || !errors.Is(err, io.EOF) {
		t.Errorf("an unclassified error became %v", err)
	}
}

func TestJoin(t *testing.T) {
	if Join(nil, nil) != nil || All(nil) != nil {
		t.Error("nil became an error")
	}
	account, amount := New(Invalid, "a", "x").At("account"), New(Invalid, "a", "y").At("amount")
	var fields []string
	for _, f := range All(fmt.Errorf("form: %w", Join(account, nil, Join(amount, io.EOF)))) {
		fields = append(fields, f.Field)
	}
	if !slices.Equal(fields, []string{"account", "amount", ""}) {
		t.Errorf("fields %q", fields)
	}
	if one := All(account); len(one) != 1 || one[0] != account {
		t.Errorf("one fault is listed as %v", one)
	}
	if one := All(New(Invalid, "a", "x").Because(Join(account, amount))); len(one) != 1 {
		t.Errorf("the cause of a fault is listed: %v", one)
	}
}

func TestInternalBesideInvalid(t *testing.T) {
	mixed := Join(New(Invalid, "a", "x").At("account"), io.EOF)
	if !Is(mixed, Internal) {
		t.Errorf("an unclassified error beside an invalid field counts as %v", KindOf(mixed))
	}
}
