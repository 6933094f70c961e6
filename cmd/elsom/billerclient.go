package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"elsom/internal/biller"
	"elsom/internal/biller/osmp"
	"elsom/internal/billerlogin"
	"elsom/internal/catalog"
)

// certificates are client certificates by the biller's code.
type certificates map[string]*tls.Certificate

// readCertificates reads CODE.crt and CODE.key of each biller from a folder. An
// empty name of the folder means no certificates.
func readCertificates(folder string) (certificates, error) {
	const variable = "ELSOM_BILLER_CERTIFICATES"
	if folder == "" {
		return certificates{}, nil
	}
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.crt"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	found := certificates{}
	for _, file := range files {
		code := strings.TrimSuffix(filepath.Base(file), ".crt")
		key := filepath.Join(folder, code+".key")
		//mutant:drop TestBillerCertificatesRefused
		if info, err := os.Stat(key); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
			return nil, fmt.Errorf("%s: every user of this machine can read %s; run: chmod 0400 %s", variable, key, key)
		}
		pair, err := tls.LoadX509KeyPair(file, key)
		var missing *fs.PathError
		switch {
		case errors.As(err, &missing):
			return nil, fmt.Errorf("%s: %s: %w", variable, missing.Path, missing.Err)
		case err != nil:
			return nil, fmt.Errorf("%s: %s and %s don't make a pair: %w", variable, file, key, err)
		}
		found[code] = &pair
	}
	return found, nil
}

// until returns when a biller's certificate expires; zero if it has none.
func (c certificates) until(code string) time.Time {
	pair := c[code]
	if pair == nil {
		return time.Time{}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

// billerClients has one client for each address and login of a biller, so that
// connections are reused.
type billerClients struct {
	logins       *billerlogin.Logins
	certificates certificates
	clients      sync.Map // clientKey → *osmp.Client
}

// clientKey has all settings of a client but the certificate, which code implies.
type clientKey struct {
	code, url      string
	deadline       time.Duration
	user, password string
}

// of returns the client of a biller. The login is read at each call, since it may
// change.
func (w *billerClients) of(b catalog.Biller) biller.Biller { return loginClient{w, b} }

type loginClient struct {
	*billerClients
	biller catalog.Biller
}

// Check implements biller.Biller.
func (w loginClient) Check(ctx context.Context, r biller.Request) biller.Answer {
	client, err := w.client(ctx)
	if err != nil {
		return unsent(err)
	}
	return client.Check(ctx, r)
}

// Pay implements biller.Biller.
func (w loginClient) Pay(ctx context.Context, r biller.Request) biller.Answer {
	client, err := w.client(ctx)
	if err != nil {
		return unsent(err)
	}
	return client.Pay(ctx, r)
}

// unsent is the answer when the login could not be read.
func unsent(err error) biller.Answer {
	return biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone, Err: err}
}

func (w loginClient) client(ctx context.Context) (*osmp.Client, error) {
	login, _, err := w.logins.Of(ctx, w.biller.Code)
	if err != nil {
		return nil, fmt.Errorf("not sent: the biller's login can't be read: %w", err)
	}
	key := clientKey{w.biller.Code, w.biller.URL, w.biller.Deadline, login.User, login.Password}
	client, known := w.clients.Load(key)
	if !known {
		client, _ = w.clients.LoadOrStore(key, osmp.New(osmp.Options{
			URL: key.url, Timeout: key.deadline, User: key.user, Password: key.password, Certificate: w.certificates[key.code],
		}))
	}
	return client.(*osmp.Client), nil
}
