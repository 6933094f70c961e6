package customer

import "testing"

func TestMasked(t *testing.T) {
	for _, c := range []struct{ name, email, number, wantName, wantEmail, wantNumber string }{
		{"Бакыт Асанов", "aida@example.kg", "00207199610017", "Бакыт А.", "a•••@e•••.kg", "0020\u00a0••••\u00a0••••\u00a017"},
		{"Өмүр", "ө@localhost", "1234", "Өмүр", "ө•••@l•••", ""},
		{"", "", "", "", "", ""},
	} {
		p := Profile{Customer: Customer{Name: c.name, Email: c.email}, INN: c.number}
		if name, email, number := p.Masked(); name != c.wantName || email != c.wantEmail || number != c.wantNumber {
			t.Errorf("%+v: %q, %q, %q", c, name, email, number)
		}
	}
}
