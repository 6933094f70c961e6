package page

import "time"

// CurrentOffer returns the edition of the public offer that is shown and accepted.
// Its text is in the messages under "portal.offer"; a test compares the text's hash,
// so that a new text needs a new version.
func CurrentOffer() Edition {
	return Edition{Version: "1.2", Date: time.Date(2026, time.November, 30, 0, 0, 0, 0, time.UTC)}
}

// clauses lists the sections of the offer with the number of their paragraphs.
var clauses = []struct {
	key   string
	count int
}{
	{"terms", 6}, {"subject", 3}, {"accept", 4}, {"fill", 3}, {"pay", 6}, {"transfer", 4}, {"refund", 4},
	{"duties", 5}, {"issuer", 4}, {"privacy", 3}, {"changes", 3}, {"contact", 2},
}

// key returns the message key of a text of a clause.
func key(clause, text string) string { return "portal.offer.clause." + clause + "." + text }
