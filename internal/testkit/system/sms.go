package system

import (
	"net/url"
	"regexp"
	"testing"
	"time"
)

// FourDigits matches four digits between other characters.
var FourDigits = regexp.MustCompile(`(?:^|\D)(\d{4})(?:\D|$)`)

// PINOf returns the PIN in the text of an SMS. Logs are searched for it.
func PINOf(text string) string { return KeepPIN(FourDigits.FindStringSubmatch(text)[1]) }

// SMS is a message as /dev/sms lists it.
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

// WaitSMS waits up to 20 seconds for an SMS that matches and returns its text.
func (s *Site) WaitSMS(t testing.TB, phone string, like *regexp.Regexp) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		for _, m := range s.ListSMS(t, phone) {
			if like.MatchString(m.Text) {
				return m.Text
			}
		}
	}
	t.Fatalf("no SMS to %s matches %s: %v", phone, like, s.ListSMS(t, phone))
	return ""
}

// SixDigits matches six digits between other characters.
var SixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

// SMSCode waits for an SMS with a code and returns the code.
func (s *Site) SMSCode(t testing.TB, phone string) string {
	t.Helper()
	return KeepCode(SixDigits.FindStringSubmatch(s.WaitSMS(t, phone, SixDigits))[1])
}
