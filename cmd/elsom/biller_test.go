package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// securedBiller is a biller over TLS that asks for our certificate and for a login.
type securedBiller struct {
	*httptest.Server
	password atomic.Value // what it wants
	refused  atomic.Int64 // calls with another login
	booked   atomic.Int64
}

func newSecuredBiller(t *testing.T, clients *x509.CertPool) *securedBiller {
	t.Helper()
	b := &securedBiller{}
	b.password.Store("")
	b.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "elsom" || password != b.password.Load() {
			b.refused.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.FormValue("command") == "pay" {
			b.booked.Add(1)
		}
		_, _ = fmt.Fprintf(w, "<response><osmp_txn_id>%s</osmp_txn_id><result>0</result></response>", r.FormValue("txn_id"))
	}))
	b.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12}
	b.StartTLS()
	t.Cleanup(b.Close)
	return b
}

// certificateFiles writes CODE.crt and CODE.key, and returns who trusts them.
func certificateFiles(t *testing.T, folder, code string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	self := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "elsom"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, self, self, key.Public(), key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, code+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, code+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	pool.AddCert(leaf)
	return pool
}

// A biller other than DosTek is called with our certificate and the password that
// the operator sets while the portal runs. Until then its refusals of us end no
// payment. The password is in no list, log or page.
func TestBillerPasswordAndCertificate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	biller := newSecuredBiller(t, certificateFiles(t, folder, "hoster"))
	trusted := filepath.Join(t.TempDir(), "biller.pem")
	must(t, os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: biller.Certificate().Raw}), 0o600))
	s := newSite(t, "sqlite:"+t.TempDir()+"/elsom.db", withoutRateLimits, "ELSOM_BILLER_CERTIFICATES="+folder, "SSL_CERT_FILE="+trusted)

	file := operate(t, s.env, "catalog", "export").out
	file = regexp.MustCompile(`(?s)(code: hoster.*?url: )""`).ReplaceAllString(file, `${1}"`+biller.URL+`/pay"`)
	path := filepath.Join(t.TempDir(), "catalog.yaml")
	must(t, os.WriteFile(path, []byte(file), 0o600))
	if told := operate(t, s.env, "catalog", "import", path); told.code != 0 {
		t.Fatalf("%+v", told)
	}
	s.portal.stop(syscall.SIGTERM)
	s.open(t) // with the new catalog at once

	const password = "planted-biller-password"
	biller.password.Store(password)
	p := somebody()
	v := newReader(t, s)
	signUp(t, s, v, wordsOf["ru"], p)
	s.fill(t, p.phone, "1000.00")
	v.open("/pay/hoster")
	v.fill("account", "123456")
	v.fill("amount", "250,50")
	v.press("Далее")
	v.press("Оплатить")
	if biller.refused.Load() == 0 {
		t.Error("the biller was called with a login before one was set")
	}
	v.wait("data-payment-status", "processing")

	if told := operateWith(t, s.env, password+"\n", "biller", "password", "nobody", "--user", "elsom"); told.code == 0 || !strings.Contains(told.err, "no biller") {
		t.Errorf("an unknown biller: %+v", told)
	}
	if told := operateWith(t, s.env, password+"\n", "biller", "password", "hoster", "--user", "elsom"); told.code != 0 || strings.Contains(told.out+told.err, password) {
		t.Fatalf("%+v", told)
	}
	v.wait("data-payment-status", "completed")
	if n := biller.booked.Load(); n != 1 {
		t.Errorf("%d are booked", n)
	}
	if told := operate(t, s.env, "biller", "password", "hoster"); told.code != 80 || !strings.Contains(told.err, "give --user NAME to set a password, or --remove") {
		t.Errorf("neither --user nor --remove: %+v", told)
	}
	list := operate(t, s.env, "biller", "list")
	if list.code != 0 || !regexp.MustCompile(`hoster .*https://127\.0\.0\.1:\d+ +elsom, since `).MatchString(list.out) || strings.Contains(list.out, password) {
		t.Errorf("%+v", list)
	}
	if told := operate(t, s.env, "biller", "password", "hoster", "--remove"); told.code != 0 {
		t.Errorf("%+v", told)
	}
	if told := operate(t, s.env, "biller", "password", "hoster", "--remove"); told.code == 0 {
		t.Errorf("removed twice: %+v", told)
	}
	written, err := os.ReadFile(s.portal.log)
	must(t, err)
	if strings.Contains(string(written), password) {
		t.Error("the password is in the log")
	}
	s.audit(t)
}

// A folder of certificates that can't be used is refused at the start.
func TestBillerCertificatesRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(folder string) error
		says  string
	}{
		"no folder":     {os.RemoveAll, "no such file or directory"},
		"no key":        {func(f string) error { return os.Remove(filepath.Join(f, "hoster.key")) }, "hoster.key: no such file"},
		"a key for all": {func(f string) error { return os.Chmod(filepath.Join(f, "hoster.key"), 0o644) }, "chmod 0400"},
		"no PEM":        {func(f string) error { return os.WriteFile(filepath.Join(f, "hoster.crt"), []byte("x"), 0o600) }, "don't make a pair"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "certificates")
			must(t, os.Mkdir(folder, 0o700))
			certificateFiles(t, folder, "hoster")
			must(t, c.spoil(folder))
			told := operate(t, []string{
				"ELSOM_MODE=development", "ELSOM_LISTEN=" + freeAddress(t), "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db", "ELSOM_BILLER_CERTIFICATES=" + folder,
			}, "serve")
			if told.code == 0 || !strings.Contains(told.err, "ELSOM_BILLER_CERTIFICATES") || !strings.Contains(told.err, c.says) {
				t.Errorf("%+v", told)
			}
		})
	}
}
