package system

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// PostUSSD sends a request of a USSD gateway and returns the status, too.
func (s *Site) PostUSSD(session, phone, text string) (status int, screen string, err error) {
	form := url.Values{"sessionId": {session}, "serviceCode": {"*900#"}, "phoneNumber": {phone}, "text": {text}}
	request, err := http.NewRequest(http.MethodPost, s.BaseURL+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ussd", "dev-ussd")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// USSD sends a request of a USSD gateway. text has all inputs of the session,
// joined by *.
func (s *Site) USSD(session, phone, text string) (string, error) {
	status, screen, err := s.PostUSSD(session, phone, text)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d: %s", status, screen)
	}
	return screen, err
}

// Dial starts a session and sends the inputs one by one. It returns the last
// request's text and its screen.
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
