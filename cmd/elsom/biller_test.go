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

	"elsom/internal/testkit/require"

	"elsom/internal/testkit/system"
)

// securedBiller is a biller over TLS that requires a client certificate and a login.
type securedBiller struct {
	*httptest.Server
	password atomic.Value // the expected password
	refused  atomic.Int64 // calls with another login
	paid     atomic.Int64
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
			b.paid.Add(1)
		}
		_, _ = fmt.Fprintf(w, "<response><osmp_txn_id>%s</osmp_txn_id><result>0</result></response>", r.FormValue("txn_id"))
	}))
	b.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12}
	b.StartTLS()
	t.Cleanup(b.Close)
	return b
}

// certificateFiles writes CODE.crt and CODE.key, and returns a pool that trusts them.
func certificateFiles(t *testing.T, folder, code string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	self := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "elsom"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, self, self, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, code+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, code+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool.AddCert(leaf)
	return pool
}

// A biller other than DosTek is called with the client certificate and the password
// that the operator sets while the portal runs. Until then its refusals of our login
// end no payment. The password is in no list, log or page.
func TestBillerPasswordAndCertificate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	biller := newSecuredBiller(t, certificateFiles(t, folder, "hoster"))
	trusted := filepath.Join(t.TempDir(), "biller.pem")
	require.NoError(t, os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: biller.Certificate().Raw}), 0o600))
	s := system.NewSite(t, "sqlite:"+t.TempDir()+"/elsom.db", system.WithoutRateLimits, "ELSOM_BILLER_CERTIFICATES="+folder, "SSL_CERT_FILE="+trusted)

	file := system.Run(t, s.Env, "catalog", "export").Stdout
	file = regexp.MustCompile(`(?s)(code: hoster.*?url: )""`).ReplaceAllString(file, `${1}"`+biller.URL+`/pay"`)
	path := filepath.Join(t.TempDir(), "catalog.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	if out := system.Run(t, s.Env, "catalog", "import", path); out.Code != 0 {
		t.Fatalf("%+v", out)
	}
	s.Portal.Stop(syscall.SIGTERM)
	s.Start(t) // with the new catalog at once

	const password = "planted-biller-password"
	biller.password.Store(password)
	p := system.NewPerson()
	v := system.NewClient(t, s)
	system.SignUp(t, s, v, system.WordsOf["ru"], p)
	s.CashIn(t, p.Phone, "1000.00")
	v.Open("/pay/hoster")
	v.Fill("account", "123456")
	v.Fill("amount", "250,50")
	v.Press("Далее")
	v.Press("Оплатить")
	if biller.refused.Load() == 0 {
		t.Error("the biller was called with a login before one was set")
	}
	v.WaitAttribute("data-payment-status", "processing")

	if out := system.RunInput(t, s.Env, password+"\n", "biller", "password", "nobody", "--user", "elsom", "--staff", "aigul", "--reason", "contract"); out.Code == 0 || !strings.Contains(out.Stderr, "no biller") {
		t.Errorf("an unknown biller: %+v", out)
	}
	if out := system.RunInput(t, s.Env, password+"\n", "biller", "password", "hoster", "--user", "elsom", "--staff", "aigul", "--reason", "contract"); out.Code != 0 || strings.Contains(out.Stdout+out.Stderr, password) {
		t.Fatalf("%+v", out)
	}
	v.WaitAttribute("data-payment-status", "completed")
	if n := biller.paid.Load(); n != 1 {
		t.Errorf("%d payments were made, want 1", n)
	}
	if out := system.Run(t, s.Env, "biller", "password", "hoster", "--staff", "aigul", "--reason", "contract"); out.Code != 80 || !strings.Contains(out.Stderr, "give --user NAME to set a password, or --remove") {
		t.Errorf("neither --user nor --remove: %+v", out)
	}
	list := system.Run(t, s.Env, "biller", "list")
	if list.Code != 0 || !regexp.MustCompile(`hoster .*https://127\.0\.0\.1:\d+ +elsom, since `).MatchString(list.Stdout) || strings.Contains(list.Stdout, password) {
		t.Errorf("%+v", list)
	}
	if out := system.Run(t, s.Env, "biller", "password", "hoster", "--remove", "--staff", "aigul", "--reason", "contract"); out.Code != 0 {
		t.Errorf("%+v", out)
	}
	if out := system.Run(t, s.Env, "biller", "password", "hoster", "--remove", "--staff", "aigul", "--reason", "contract"); out.Code == 0 {
		t.Errorf("removed twice: %+v", out)
	}
	written, err := os.ReadFile(s.Portal.Log)
	require.NoError(t, err)
	if strings.Contains(string(written), password) {
		t.Error("the password is in the log")
	}
	s.Audit(t)
}

// The portal doesn't start with an unusable folder of certificates.
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
			require.NoError(t, os.Mkdir(folder, 0o700))
			certificateFiles(t, folder, "hoster")
			require.NoError(t, c.spoil(folder))
			out := system.Run(t, []string{
				"ELSOM_MODE=development", "ELSOM_LISTEN=" + system.FreeAddress(t), "ELSOM_DATABASE_URL=sqlite:" + t.TempDir() + "/elsom.db", "ELSOM_BILLER_CERTIFICATES=" + folder,
			}, "serve")
			if out.Code == 0 || !strings.Contains(out.Stderr, "ELSOM_BILLER_CERTIFICATES") || !strings.Contains(out.Stderr, c.says) {
				t.Errorf("%+v", out)
			}
		})
	}
}
