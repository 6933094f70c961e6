package system

import (
	"net/url"
	"regexp"
	"testing"
	"time"
)

var FourDigits = regexp.MustCompile(`(?:^|\D)(\d{4})(?:\D|$)`)

func PINOf(text string) string { return KeepCode(FourDigits.FindStringSubmatch(text)[1]) }

// SMS is an SMS as the handset lists it.
type SMS struct {
	Phone     string    `json:"phone"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// ListSMS lists a number's SMS, newest first.
func (s *Site) ListSMS(t testing.TB, phone string) []SMS {
	t.Helper()
	var list []SMS
	s.GetJSON(t, s.BaseURL+"/dev/sms?phone="+url.QueryEscape(phone), &list)
	return list
}

// WaitSMS waits for an SMS that matches and gives its text.
func (s *Site) WaitSMS(t testing.TB, phone string, like *regexp.Regexp) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		for _, m := range s.ListSMS(t, phone) {
			if like.MatchString(m.Text) {
				return m.Text
			}
		}
	}
	t.Fatalf("no SMS to %s is like %s: %v", phone, like, s.ListSMS(t, phone))
	return ""
}

var SixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

// SMSCode waits for the code in an SMS: the first group of six digits.
func (s *Site) SMSCode(t testing.TB, phone string) string {
	t.Helper()
	return KeepCode(SixDigits.FindStringSubmatch(s.WaitSMS(t, phone, SixDigits))[1])
}
