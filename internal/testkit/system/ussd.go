package system

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// PostUSSD sends a dialed input as a gateway does.
func (s *Site) PostUSSD(t *testing.T, phone, session, text string) (status int, screen string) {
	t.Helper()
	form := url.Values{"sessionId": {session}, "serviceCode": {"*900#"}, "phoneNumber": {phone}, "text": {text}}
	request, err := http.NewRequest(http.MethodPost, s.BaseURL+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ussd", "dev-ussd")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// USSD sends what a gateway sends.
func (s *Site) USSD(session, phone, text string) (string, error) {
	form := url.Values{"sessionId": {session}, "serviceCode": {"*900#"}, "phoneNumber": {phone}, "text": {text}}
	request, err := http.NewRequest(http.MethodPost, s.BaseURL+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ussd", "dev-ussd")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return string(body), err
}

// Dial dials and answers until the last of the inputs.
func (s *Site) Dial(t testing.TB, session, phone string, inputs ...string) (text, screen string) {
	t.Helper()
	screen, err := s.USSD(session, phone, "")
	for i, in := range inputs {
		if err != nil {
			t.Fatalf("ussd: %v", err)
		}
		if i > 0 {
			text += "*"
		}
		text += in
		screen, err = s.USSD(session, phone, text)
	}
	if err != nil {
		t.Fatalf("ussd: %v", err)
	}
	return text, screen
}
