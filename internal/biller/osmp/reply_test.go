package osmp

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"elsom/internal/biller"
)

func golden(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// ours is the request that the golden files answer.
var ours = biller.Request{TxnID: "1763798400000123456", Account: "00207199610017", Sum: 25050}

func TestGoldenReplies(t *testing.T) {
	for _, c := range []struct {
		name, contentType string
		want              reply
	}{
		{"check", "", reply{name: "ОсОО «Көл-Суу»", comment: "OK"}},
		{"check", "text/html; charset=windows-1251", reply{name: "ОсОО «Көл-Суу»", comment: "OK"}}, // the declaration wins
		{"check_windows-1251", "text/xml", reply{name: "ОсОО «Заря»"}},
		{"check_windows-1251", "text/xml; charset=utf-8", reply{name: "ОсОО «Заря»"}},
		{"check_undeclared_windows-1251", "text/xml; charset=Windows-1251", reply{name: "ОсОО «Заря»"}},
		{"check_utf-16", "", reply{name: "ОсОО «Заря»"}},
		{"check_koi8-r", "", reply{name: "ОсОО Заря"}},
		{"check_dirty_name", "", reply{name: "Асанов Бакыт Үсөнович"}},
		{"pay", "", reply{sum: "250.50", reference: "2016", comment: "OK"}},
		{"pay_pay24", "", reply{sum: "250.5", reference: "A-77"}},
		{"pay_bom", "", reply{sum: "250.5000"}},
		{"pay_later", "", reply{result: 90, comment: "в обработке"}},
		{"pay_refused", "", reply{sum: "250.50", result: 7, comment: "запрещено"}},
	} {
		t.Run(c.name+" "+c.contentType, func(t *testing.T) {
			got, err := parse(golden(t, c.name), c.contentType)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.ids) != 1 || got.ids[0] != ours.TxnID {
				t.Errorf("ids = %q", got.ids)
			}
			if got.sum != c.want.sum || got.result != c.want.result || got.reference != c.want.reference ||
				got.comment != c.want.comment || got.name != c.want.name {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if err := got.answers(ours); err != nil {
				t.Errorf("not ours: %v", err)
			}
		})
	}
}

// A body that is not plainly our answer is refused as a whole, by an error that
// quotes nothing of it.
func TestBadReplies(t *testing.T) {
	files, err := filepath.Glob("testdata/bad_*.xml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d bad replies, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".xml")
		t.Run(name, func(t *testing.T) {
			got, err := parse(golden(t, name), "text/xml")
			if err == nil {
				err = got.answers(ours)
			}
			if err == nil {
				t.Fatalf("taken as an answer: %+v", got)
			}
			if strings.Contains(err.Error(), ours.TxnID) {
				t.Errorf("the error quotes the body: %v", err)
			}
		})
	}
}

func TestDoctypeIsRefused(t *testing.T) {
	for _, name := range []string{"bad_doctype", "bad_html", "bad_directive_inside", "bad_directive_in_text", "bad_directive_in_fields"} {
		if _, err := parse(golden(t, name), ""); !errors.Is(err, errDoctype) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTextsAreBounded(t *testing.T) {
	long := strings.Repeat("Ң", 5000)
	got, err := parse([]byte(`<response><result>0</result><prv_txn>`+long+`</prv_txn><comment>`+long+
		`</comment><fields><field1 name="FIO">`+long+`</field1></fields></response>`), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		n    int
	}{{got.name, biller.NameLength}, {got.reference, biller.ReferenceLength}, {got.comment, biller.CommentLength}} {
		if n := utf8.RuneCountInString(c.text); n != c.n {
			t.Errorf("%d characters kept, want %d", n, c.n)
		}
	}
}

func TestSameSum(t *testing.T) {
	for text, want := range map[string]bool{
		"250.50": true, "250.5": true, "250,50": true, "0250.50": true, "250.5000": true,
		"250": false, "250.51": false, "250.501": false, "-250.50": false, "2.505e2": false,
		"250.": false, ".50": false, "250.50.0": false, "99999999999999999999": false, "250 .50": false,
	} {
		if got := sameSum(text, 25050); got != want {
			t.Errorf("sameSum(%q) = %t", text, got)
		}
	}
	if !sameSum("250", 25000) || !sameSum("250.0", 25000) {
		t.Error("whole som are not the same")
	}
}

func FuzzReply(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.xml")
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "text/xml; charset=windows-1251")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		got, err := parse(body, contentType)
		if err != nil {
			return
		}
		if got.result < 0 || got.result > 999_999 {
			t.Errorf("result %d", got.result)
		}
		for _, text := range []string{got.name, got.reference, got.comment} {
			if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\t\x00") || utf8.RuneCountInString(text) > biller.CommentLength {
				t.Errorf("unclean text %q", text)
			}
		}
		if got.answers(ours) == nil {
			for _, id := range got.ids {
				if id != ours.TxnID {
					t.Errorf("id %q passed", id)
				}
			}
		}
	})
}
