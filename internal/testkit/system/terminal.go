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

// TerminalAnswer is what a terminal is told.
type TerminalAnswer struct {
	TxnID   string `xml:"osmp_txn_id"`
	PrvTxn  string `xml:"prv_txn"`
	Sum     string `xml:"sum"`
	Result  int    `xml:"result"`
	Comment string `xml:"comment"`
}

var terminalRun = time.Now().UnixMilli()

var terminalCount atomic.Int64

// NewTxnID returns a txn_id that no terminal of these tests has used.
func NewTxnID() string { return fmt.Sprintf("%d%05d", terminalRun, terminalCount.Add(1)) }

// Terminal sends one request of the site's agent.
func (s *Site) Terminal(t testing.TB, command, txnID, phone, sum string) TerminalAnswer {
	t.Helper()
	told, err := s.TerminalRequest(command, txnID, phone, sum)
	if err != nil {
		t.Fatalf("terminal: %v", err)
	}
	return told
}

func (s *Site) TerminalRequest(command, txnID, phone, sum string) (told TerminalAnswer, err error) {
	form := url.Values{
		"command": {command}, "txn_id": {txnID}, "account": {phone}, "sum": {sum},
		"txn_date": {time.Now().Format("20060102150405")},
	}
	request, err := http.NewRequest(http.MethodPost, s.BaseURL+"/osmp", strings.NewReader(form.Encode()))
	if err != nil {
		return told, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(s.Agent[0], s.Agent[1])
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return told, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return told, errors.New(answer.Status)
	}
	return told, xml.NewDecoder(answer.Body).Decode(&told)
}

// CashIn puts money into a wallet as a terminal does: check, then pay.
func (s *Site) CashIn(t testing.TB, phone, sum string) {
	t.Helper()
	id := NewTxnID()
	if told := s.Terminal(t, "check", id, phone, sum); told.Result != 0 {
		t.Fatalf("check of %s: %+v", phone, told)
	}
	if told := s.Terminal(t, "pay", id, phone, sum); told.Result != 0 || told.Sum != sum || told.PrvTxn == "" {
		t.Fatalf("cash into %s: %+v", phone, told)
	}
}
