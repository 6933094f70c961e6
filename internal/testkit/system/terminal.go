package system

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TerminalAnswer is a response of /osmp.
type TerminalAnswer struct {
	TxnID   string `xml:"osmp_txn_id"`
	PrvTxn  string `xml:"prv_txn"`
	Sum     string `xml:"sum"`
	Result  int    `xml:"result"`
	Comment string `xml:"comment"`
}

var terminalRun = time.Now().UnixMilli()

var terminalCount atomic.Int64

// NewTxnID returns a txn_id that was not used before.
func NewTxnID() string { return fmt.Sprintf("%d%05d", terminalRun, terminalCount.Add(1)) }

// Terminal sends an OSMP request of the site's agent.
func (s *Site) Terminal(t testing.TB, command, txnID, phone, sum string) TerminalAnswer {
	t.Helper()
	response, err := s.TerminalRequest(command, txnID, phone, sum)
	if err != nil {
		t.Fatalf("terminal: %v", err)
	}
	return response
}

// TerminalRequest is Terminal for portals that may fail.
func (s *Site) TerminalRequest(command, txnID, phone, sum string) (response TerminalAnswer, err error) {
	form := url.Values{
		"command": {command}, "txn_id": {txnID}, "account": {phone}, "sum": {sum},
		"txn_date": {time.Now().Format("20060102150405")},
	}
	request, err := http.NewRequest(http.MethodPost, s.BaseURL+"/osmp", strings.NewReader(form.Encode()))
	if err != nil {
		return response, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(s.Agent[0], s.Agent[1])
	httpResponse, err := http.DefaultClient.Do(request)
	if err != nil {
		return response, err
	}
	defer httpResponse.Body.Close()
	if httpResponse.StatusCode != http.StatusOK {
		return response, errors.New(httpResponse.Status)
	}
	return response, xml.NewDecoder(httpResponse.Body).Decode(&response)
}

// CashIn puts money into a wallet as a terminal does, by check and pay.
func (s *Site) CashIn(t testing.TB, phone, sum string) {
	t.Helper()
	id := NewTxnID()
	if response := s.Terminal(t, "check", id, phone, sum); response.Result != 0 {
		t.Fatalf("check of %s: %+v", phone, response)
	}
	if response := s.Terminal(t, "pay", id, phone, sum); response.Result != 0 || response.Sum != sum || response.PrvTxn == "" {
		t.Fatalf("cash into %s: %+v", phone, response)
	}
}
