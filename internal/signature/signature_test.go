package signature_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"elsom/internal/signature"
)

const (
	keyA = "0123456789abcdef0123456789abcdef"
	keyB = "fedcba9876543210fedcba9876543210"
)

func parse(t testing.TB, lines ...string) *signature.Keys {
	t.Helper()
	keys, err := signature.ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func sample() *signature.Record {
	at := time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.FixedZone("+06", 6*3600))
	return signature.NewRecord(signature.Payment, 42).Text("Достэк").Int(-250).Bool(true).Bool(false).Time(at).Time(time.Time{}).Absent().Text("")
}

// Canonical forms, macs and leaf hashes are stored: a release must not change them.
func TestSignaturesNeverChange(t *testing.T) {
	keys := parse(t, keyA)
	mac, id := keys.Sign(sample())
	baseline, baselineID := keys.SignBaseline(sample())
	leaf := sample().LeafHash(mac)
	for _, c := range []struct{ what, got, want string }{
		{"form", hex.EncodeToString(sample().Bytes()), "0174077061796d656e7469000000000000002a740cd094d0bed181d182d18dd0ba69ffffffffffffff06620162006d000661781ebfda406e6e7400"},
		{"mac", hex.EncodeToString(mac), "3b58ee0c8d21bee7fa8088218718b67d03b03e5bcd0b8920ce5f190090bd9b95"},
		{"key id", id, "9571afed"},
		{"baseline mac", hex.EncodeToString(baseline), "20247ed3ae207e34e964a48735486261b292b9706f0248a8082f53401a5b76ff"},
		{"baseline key id", baselineID, "b-9571afed"},
		{"leaf", hex.EncodeToString(leaf[:]), "86a470d21efda030e424d8c077069224212cf39b174dd1d306c739c816f576b7"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, c.got, c.want)
		}
	}
}

// field is a field of a generated record.
type field struct {
	Type int
	Text string
	Int  int64
}

func record(kind signature.Kind, id int64, fields []field) *signature.Record {
	r := signature.NewRecord(kind, id)
	for _, f := range fields {
		switch f.Type {
		case 0:
			r.Text(f.Text)
		case 1:
			r.Int(f.Int)
		case 2:
			r.Bool(f.Int%2 == 0)
		case 3:
			r.Time(time.UnixMicro(f.Int))
		default:
			r.Absent()
		}
	}
	return r
}

// normal returns the fields without what does not belong to their types.
func normal(fields []field) string {
	var list strings.Builder
	for _, f := range fields {
		switch f.Type {
		case 0:
			fmt.Fprintf(&list, "%q", f.Text)
		case 1, 3:
			fmt.Fprintf(&list, " %d:%d", f.Type, f.Int)
		case 2:
			fmt.Fprintf(&list, " %t", f.Int%2 == 0)
		default:
			list.WriteString(" -")
		}
	}
	return list.String()
}

// Records have the same bytes exactly if their kinds, ids and fields are the same.
func TestDifferentFieldsHaveDifferentBytes(t *testing.T) {
	fields := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) field {
		return field{
			rapid.IntRange(0, 4).Draw(t, "type"),
			rapid.OneOf(rapid.StringMatching(`[ti\x00\x01ab]{0,3}`), rapid.String()).Draw(t, "text"),
			rapid.OneOf(rapid.Int64Range(-1<<40, 1<<40), rapid.Int64Range(0, 2)).Draw(t, "int"),
		}
	}), 0, 5)
	rapid.Check(t, func(t *rapid.T) {
		a, b := fields.Draw(t, "a"), fields.Draw(t, "b")
		kinds := rapid.SampledFrom(signature.Kinds)
		kindA, kindB := kinds.Draw(t, "kind a"), kinds.Draw(t, "kind b")
		if rapid.Bool().Draw(t, "same") {
			b, kindB = append([]field(nil), a...), kindA
		}
		same := normal(a) == normal(b) && kindA == kindB
		if got := bytes.Equal(record(kindA, 1, a).Bytes(), record(kindB, 1, b).Bytes()); got != same {
			t.Errorf("%s %v and %s %v: same bytes: %t, want %t", kindA, a, kindB, b, got, same)
		}
	})
	if bytes.Equal(record(signature.Agent, 1, nil).Bytes(), record(signature.Agent, 2, nil).Bytes()) {
		t.Error("two ids have the same bytes")
	}
}

func TestVerify(t *testing.T) {
	keys, other, both := parse(t, keyA), parse(t, keyB), parse(t, keyB, keyA)
	mac, id := keys.Sign(sample())
	baseline, baselineID := keys.SignBaseline(sample())
	broken := bytes.Clone(mac)
	broken[31] ^= 1
	for _, c := range []struct {
		what   string
		keys   *signature.Keys
		record *signature.Record
		mac    []byte
		keyID  string
		want   error
	}{
		{"own", keys, sample(), mac, id, nil},
		{"second key", both, sample(), mac, id, nil},
		{"baseline", both, sample(), baseline, baselineID, nil},
		{"changed row", keys, sample().Int(1), mac, id, signature.ErrForged},
		{"changed mac", keys, sample(), broken, id, signature.ErrForged},
		{"short mac", keys, sample(), mac[:16], id, signature.ErrForged},
		{"mac of the baseline", keys, sample(), baseline, id, signature.ErrForged},
		{"row passed off as older", keys, sample(), mac, baselineID, signature.ErrForged},
		{"key id without a mac", keys, sample(), nil, id, signature.ErrForged},
		{"mac without a key id", keys, sample(), mac, "", signature.ErrUnknownKey},
		{"other key", other, sample(), mac, id, signature.ErrUnknownKey},
		{"no keys", nil, sample(), mac, id, signature.ErrUnknownKey},
		{"unsigned", keys, sample(), nil, "", signature.ErrUnsigned},
		{"unsigned, empty", keys, sample(), []byte{}, "", signature.ErrUnsigned},
	} {
		if err := c.keys.Verify(c.record, c.mac, c.keyID); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	if !signature.IsBaseline(baselineID) || signature.IsBaseline(id) {
		t.Errorf("baseline: %s, %s", id, baselineID)
	}
	if len(baselineID) > signature.IDLength {
		t.Errorf("%s is longer than its column", baselineID)
	}
}

func TestNoKeysSignNothing(t *testing.T) {
	none := parse(t, "", "# a comment", "  ")
	if mac, id := none.Sign(sample()); none != nil || mac != nil || id != "" || none.IDs() != nil {
		t.Errorf("keys %v sign %x %q", none, mac, id)
	}
	if mac, id := none.SignBaseline(sample()); mac != nil || id != "" {
		t.Errorf("baseline %x %q", mac, id)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	for what, text := range map[string]string{
		"short":        keyA[:31],
		"second short": keyA + "\n" + keyB[:31],
		"monotonous":   strings.Repeat("ab", 20),
		"with a space": keyA + " " + keyB,
		"twice":        keyA + "\n\n" + keyA,
		"too many":     strings.Repeat(keyA+"\n", signature.MaxKeys+1),
	} {
		if keys, err := signature.ParseKeys(text); err == nil {
			t.Errorf("%s: %v", what, keys)
		} else if strings.Contains(err.Error(), keyA[:8]) || strings.Contains(err.Error(), keyB[:8]) {
			t.Errorf("%s: the error has a key: %v", what, err)
		}
	}
	keys := parse(t, "# made today", "\t"+keyA+"  ", "", keyB+"\r")
	if ids := keys.IDs(); len(ids) != 2 || ids[0] != parse(t, keyA).IDs()[0] || ids[1] != parse(t, keyB).IDs()[0] {
		t.Errorf("ids %v", ids)
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	keys := parse(t, keyA)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if text := fmt.Sprintf(verb, keys); text != "1 keys" {
			t.Errorf("%s: %s", verb, text)
		}
	}
	if text := keys.LogValue().String(); text != "1 keys" {
		t.Errorf("log: %s", text)
	}
}

func TestConcurrentSignaturesAreTheSame(t *testing.T) {
	keys := parse(t, keyA)
	want, _ := keys.Sign(sample())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if mac, id := keys.Sign(sample()); !bytes.Equal(mac, want) || keys.Verify(sample(), mac, id) != nil {
					t.Error("another mac")
				}
			}
		})
	}
	all.Wait()
}

func TestItems(t *testing.T) {
	var list []byte
	var want []signature.Item
	for i, kind := range signature.Kinds {
		item := signature.Item{Kind: kind, ID: int64(i) * 1_000_000_007, Leaf: sample().LeafHash([]byte{byte(i)})}
		list, want = signature.AppendItem(list, item), append(want, item)
	}
	items, ok := signature.ParseItems(list)
	if !ok || fmt.Sprint(items) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", items, want)
	}
	for what, list := range map[string][]byte{"cut": list[:len(list)-1], "unknown kind": append([]byte{255}, list[1:]...), "kind 0": append([]byte{0}, list[1:]...)} {
		if _, ok := signature.ParseItems(list); ok {
			t.Errorf("%s: parsed", what)
		}
	}
}

// A batch is one under the key that ended it, for its row of the queue only, and not if any
// record was changed, added, or taken out.
func TestBatch(t *testing.T) {
	keys := parse(t, keyA)
	records := signature.AppendItem(nil, signature.Item{Kind: signature.Payment, ID: 5, Leaf: sample().LeafHash(nil)})
	records = signature.AppendItem(records, signature.Item{Kind: signature.Agent, ID: 6, Leaf: sample().LeafHash(nil)})
	list := keys.EndBatch(bytes.Clone(records), 7)
	for _, k := range []*signature.Keys{keys, parse(t, keyB+"\n"+keyA)} {
		if !k.IsBatch(list, 7) || !k.IsBatch(k.EndBatch(nil, 1), 1) {
			t.Error("not a batch")
		}
	}
	var none *signature.Keys
	if !bytes.Equal(none.EndBatch(records, 7), records) || none.IsBatch(list, 7) || parse(t, keyB).IsBatch(list, 7) {
		t.Error("a batch of another key, or of none")
	}
	last := signature.AppendItem(nil, signature.Item{Kind: signature.Agent, ID: 8})
	for what, other := range map[string][]byte{
		"empty": {}, "not ended": records, "cut": list[:len(list)-1], "twice": append(bytes.Clone(list), list...), "a record more": append(bytes.Clone(last), list...),
		"a record less": list[signature.ItemSize:], "a record after it": append(bytes.Clone(list), last...),
		"another record": append(bytes.Clone(last), list[signature.ItemSize:]...),
	} {
		if keys.IsBatch(other, 7) {
			t.Error(what)
		}
	}
	renumbered := bytes.Clone(list)
	renumbered[2*signature.ItemSize+8] = 9
	if keys.IsBatch(list, 8) || keys.IsBatch(renumbered, 9) {
		t.Error("a batch of another row")
	}
}

// The memory of a released record is that of another row.
func TestUseAfterReleasePanics(t *testing.T) {
	keys := parse(t, keyA)
	for what, use := range map[string]func(r *signature.Record){
		"text":     func(r *signature.Record) { r.Text("") },
		"int":      func(r *signature.Record) { r.Int(1) },
		"bool":     func(r *signature.Record) { r.Bool(true) },
		"time":     func(r *signature.Record) { r.Time(time.Now()) },
		"absent":   func(r *signature.Record) { r.Absent() },
		"bytes":    func(r *signature.Record) { r.Bytes() },
		"leaf":     func(r *signature.Record) { r.LeafHash(nil) },
		"sign":     func(r *signature.Record) { keys.Sign(r) },
		"verify":   func(r *signature.Record) { _ = keys.Verify(r, make([]byte, 32), keys.IDs()[0]) },
		"baseline": func(r *signature.Record) { keys.SignBaseline(r) },
		"release":  func(r *signature.Record) { r.Release() },
	} {
		t.Run(what, func(t *testing.T) {
			r := sample()
			r.Release()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			use(r)
		})
	}
}

func BenchmarkSign(b *testing.B) {
	keys := parse(b, keyA)
	b.ReportAllocs()
	for b.Loop() {
		r := sample()
		mac, _ := keys.Sign(r)
		r.LeafHash(mac)
		r.Release()
	}
}
