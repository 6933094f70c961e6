package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Retention says how long personal data is kept that the books don't need; zero means
// for good.
type Retention struct {
	// Messages are the texts of sent SMS.
	Messages time.Duration
	// Inbox are SMS and e-mails that are stored instead of sent, in development.
	Inbox time.Duration
	// Closed are name, ИНН, e-mail and addresses of a closed wallet's holder.
	Closed time.Duration
	// Security are the rows of the security log.
	Security time.Duration
}

const (
	retentionName = "ELSOM_RETENTION"
	keepForGood   = "keep"
	days          = 24 * time.Hour
	mostDays      = 36_500
)

// defaultRetention keeps what a law may require until the operator decides.
var defaultRetention = Retention{Messages: 180 * days, Inbox: 30 * days, Closed: 0, Security: 365 * days}

// retention parses terms: "messages=90,closed=1825,security=keep".
func retention(text string, problems *Problems) Retention {
	r := defaultRetention
	// The smallest terms: the daily limit of notices counts messages; the limits of a
	// number's next wallet count what its closed one spent this month; an attack is
	// often noticed weeks later.
	terms := map[string]struct {
		term  *time.Duration
		least int
	}{
		"messages": {&r.Messages, 2}, "inbox": {&r.Inbox, 1}, "closed": {&r.Closed, 62}, "security": {&r.Security, 30},
	}
	var seen []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		of, known := terms[name]
		count, err := strconv.Atoi(value)
		switch {
		case !known:
			problems.add(retentionName, "has the unknown name %s; known are messages, inbox, closed, security", quote(name))
		case slices.Contains(seen, name):
			problems.add(retentionName, "has %s twice", name)
		case value == keepForGood:
			*of.term = 0
		//mutant:replace || count < of.least => TestRetention
		case err != nil || count < of.least || count > mostDays:
			problems.add(retentionName, "%s must be a number of days from %d to %d, or %s", name, of.least, mostDays, keepForGood)
		default:
			*of.term = time.Duration(count) * days
		}
		seen = append(seen, name)
	}
	return r
}
