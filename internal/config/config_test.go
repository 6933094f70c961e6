package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	testSecret = "planted-secret-planted-secret-planted"
	testPepper = "planted-pepper-planted-pepper-planted"
)

// with gives the environment of a production server, changed by what is given.
func with(changes ...string) map[string]string {
	vars := map[string]string{
		"ELSOM_SECRET_KEY": testSecret,
		"ELSOM_PIN_PEPPER": testPepper,
		"ELSOM_BASE_URL":   "https://wallet.example",
	}
	for i := 0; i < len(changes); i += 2 {
		vars["ELSOM_"+changes[i]] = changes[i+1]
	}
	return vars
}

func problemsOf(t *testing.T, vars map[string]string) Problems {
	t.Helper()
	_, err := Parse(vars)
	var problems Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatalf("error is %T, want Problems", err)
	}
	return problems
}

func TestDefaults(t *testing.T) {
	c, err := Parse(map[string]string{"ELSOM_SECRET_KEY": testSecret, "ELSOM_PIN_PEPPER": testPepper})
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != Production || c.Listen != "127.0.0.1:8080" || c.BaseURL != "http://127.0.0.1:8080" ||
		c.DatabaseURL.Reveal() != "sqlite:var/elsom.db" || c.DosTekURL.Set() || c.MetricsListen != "" || !c.RateLimits || c.Drain != 5*time.Second {
		t.Errorf("defaults of production: %+v", c)
	}
	d, err := Parse(map[string]string{"ELSOM_MODE": "development"})
	if err != nil {
		t.Fatal(err)
	}
	if d.DosTekURL.Reveal() != "http://127.0.0.1:8090/pay" || len(d.SecretKey) < secretBytes ||
		d.PINPepper != pepperOf(d.SecretKey) || !d.Development() || d.Drain != 0 {
		t.Errorf("defaults of development: %+v", d)
	}
}

func TestAccepted(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"postgres":             with("DATABASE_URL", "postgres://u:p@db/elsom"),
		"postgres by socket":   with("DATABASE_URL", "postgres:///elsom?host=/run/postgresql"),
		"all interfaces":       with("LISTEN", ":8080"),
		"all trusted, to try":  {"ELSOM_MODE": "development", "ELSOM_TRUSTED_PROXIES": "0.0.0.0/0"},
		"http on loopback":     with("BASE_URL", "http://localhost:8080/"),
		"IPv6 loopback":        {"ELSOM_MODE": "development", "ELSOM_LISTEN": "[::1]:0"},
		"measured without":     {"ELSOM_MODE": "development", "ELSOM_RATE_LIMITS": "off"},
		"an emptied variable":  with("LISTEN", ""),
		"a short drain":        with("DRAIN", "500ms"),
		"push services":        with("PUSH_HOSTS", "push.example.net, *.Push.example.kg,"),
		"proxies, one address": with("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,"),
		"mail":                 with("SMTP_URL", "smtps://u:p@mail.example:465"),
	} {
		if problems := problemsOf(t, vars); problems != nil {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		vars     map[string]string
		variable string
	}{
		"mode":                        {with("MODE", "test"), "ELSOM_MODE"},
		"development on all":          {with("MODE", "development", "LISTEN", ":8080"), "ELSOM_LISTEN"},
		"development on an address":   {with("MODE", "development", "LISTEN", "192.0.2.1:80"), "ELSOM_LISTEN"},
		"development, metrics on all": {with("MODE", "development", "METRICS_LISTEN", "0.0.0.0:90"), "ELSOM_METRICS_LISTEN"},
		"no port":                     {with("LISTEN", "127.0.0.1"), "ELSOM_LISTEN"},
		"port of letters":             {with("LISTEN", "127.0.0.1:http"), "ELSOM_LISTEN"},
		"port above all":              {with("LISTEN", "127.0.0.1:65536"), "ELSOM_LISTEN"},
		"http in production":          {with("BASE_URL", "http://wallet.example"), "ELSOM_BASE_URL"},
		"base with a path":            {with("BASE_URL", "https://wallet.example/app"), "ELSOM_BASE_URL"},
		"base of another kind":        {with("BASE_URL", "ftp://wallet.example"), "ELSOM_BASE_URL"},
		"base for all interfaces":     {with("BASE_URL", "", "LISTEN", "0.0.0.0:8080"), "ELSOM_BASE_URL"},
		"database of another kind":    {with("DATABASE_URL", "mysql://db/x"), "ELSOM_DATABASE_URL"},
		"database without a path":     {with("DATABASE_URL", "sqlite:"), "ELSOM_DATABASE_URL"},
		"no secret":                   {with("SECRET_KEY", ""), "ELSOM_SECRET_KEY"},
		"short secret":                {with("SECRET_KEY", testSecret[:31]), "ELSOM_SECRET_KEY"},
		"development's secret":        {with("SECRET_KEY", developmentSecret), "ELSOM_SECRET_KEY"},
		"no pepper":                   {with("PIN_PEPPER", ""), "ELSOM_PIN_PEPPER"},
		"short pepper":                {with("PIN_PEPPER", testPepper[:31]), "ELSOM_PIN_PEPPER"},
		"development's pepper":        {with("PIN_PEPPER", pepperOf(developmentSecret).Reveal()), "ELSOM_PIN_PEPPER"},
		"pepper that is the secret":   {with("PIN_PEPPER", testSecret), "ELSOM_PIN_PEPPER"},
		"no limits in production":     {with("RATE_LIMITS", "off"), "ELSOM_RATE_LIMITS"},
		"a drain without end":         {with("DRAIN", "1h"), "ELSOM_DRAIN"},
		"a drain that is no time":     {with("DRAIN", "5"), "ELSOM_DRAIN"},
		"limits neither on nor off":   {with("RATE_LIMITS", "0"), "ELSOM_RATE_LIMITS"},
		"proxy by name":               {with("TRUSTED_PROXIES", "proxy.example"), "ELSOM_TRUSTED_PROXIES"},
		"all the world as proxy":      {with("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"), "ELSOM_TRUSTED_PROXIES"},
		"all of IPv6 as proxy":        {with("TRUSTED_PROXIES", "::/0"), "ELSOM_TRUSTED_PROXIES"},
		"plain http to others":        {with("BASE_URL", "http://localhost:8080", "LISTEN", "0.0.0.0:8080"), "ELSOM_LISTEN"},
		"plain http to all":           {with("BASE_URL", "http://127.0.0.1", "LISTEN", ":8080"), "ELSOM_LISTEN"},
		"secret of few bytes":         {with("SECRET_KEY", strings.Repeat("abcdefg", 8)), "ELSOM_SECRET_KEY"},
		"pepper of one byte":          {with("PIN_PEPPER", strings.Repeat("0", 64)), "ELSOM_PIN_PEPPER"},
		"metrics to all the world":    {with("METRICS_LISTEN", "127.0.0.1:8080"), "ELSOM_METRICS_LISTEN"},
		"DosTek":                      {with("DOSTEK_URL", "dostek.example/pay"), "ELSOM_DOSTEK_URL"},
		"SMS":                         {with("SMS_URL", "smpp://kannel"), "ELSOM_SMS_URL"},
		"receipts":                    {with("SMS_RECEIPTS_URL", "wallet.example/sms/dlr"), "ELSOM_SMS_RECEIPTS_URL"},
		"mail":                        {with("SMTP_URL", "mail.example"), "ELSOM_SMTP_URL"},
		"no key of P-256":             {with("VAPID_KEY", "planted"), "ELSOM_VAPID_KEY"},
		"a key of nothing":            {with("VAPID_KEY", strings.Repeat("A", 43)), "ELSOM_VAPID_KEY"},
		"a push service by number":    {with("PUSH_HOSTS", "192.0.2.1"), "ELSOM_PUSH_HOSTS"},
		"a country's push services":   {with("PUSH_HOSTS", "push.example.net,*.kg"), "ELSOM_PUSH_HOSTS"},
		"any push service":            {with("PUSH_HOSTS", "*"), "ELSOM_PUSH_HOSTS"},
		"a push service's address":    {with("PUSH_HOSTS", "https://push.example.net"), "ELSOM_PUSH_HOSTS"},
		"a file that is not there":    {with("SECRET_KEY", "", "SECRET_KEY_FILE", "/nowhere/secret"), "ELSOM_SECRET_KEY_FILE"},
		"given twice":                 {with("SECRET_KEY_FILE", "/nowhere/secret"), "ELSOM_SECRET_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := problemsOf(t, c.vars)
			if len(problems) == 0 || problems[0].Variable != c.variable {
				t.Errorf("problems %v, want one of %s", problems, c.variable)
			}
			if strings.Contains(problems.Error(), "\n") {
				t.Errorf("more than a line: %q", problems.Error())
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	problems := problemsOf(t, map[string]string{
		"ELSOM_MODE": "neither", "ELSOM_LISTEN": "nowhere", "ELSOM_DATABASE_URL": "none", "ELSOM_TRUSTED_PROXIES": "x,y",
	})
	for _, variable := range []string{"ELSOM_MODE", "ELSOM_LISTEN", "ELSOM_DATABASE_URL", "ELSOM_SECRET_KEY", "ELSOM_PIN_PEPPER"} {
		if !strings.Contains(problems.Error(), variable+":") {
			t.Errorf("%s is not named in %q", variable, problems)
		}
	}
	if n := strings.Count(problems.Error(), "ELSOM_TRUSTED_PROXIES"); n != 2 {
		t.Errorf("two bad proxies are named %d times", n)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(testSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range secrets {
		vars := with(strings.TrimPrefix(name, "ELSOM_"), "", strings.TrimPrefix(name, "ELSOM_")+"_FILE", path)
		var problems Problems
		in := fmt.Sprint(read(vars, secrets, &problems))
		if problems != nil || !strings.Contains(in, testSecret) || strings.Contains(in, "\n") {
			t.Errorf("%s_FILE: %q, problems %v", name, in, problems)
		}
	}
}

func TestDatabaseAlone(t *testing.T) {
	database, err := ParseDatabase(map[string]string{"ELSOM_DATABASE_URL": "sqlite:x.db", "ELSOM_LISTEN": "nonsense"})
	if err != nil || database.Reveal() != "sqlite:x.db" {
		t.Errorf("got %q, %v", database.Reveal(), err)
	}
	if _, err := ParseDatabase(map[string]string{"ELSOM_DATABASE_URL": "x"}); err == nil {
		t.Error("a bad address passed")
	}
}

func TestStrangersAreNamed(t *testing.T) {
	c, err := Parse(with("DATABSE_URL", "sqlite:x", "SECRET_KEY_FILE", ""))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Strangers) != 1 || c.Strangers[0] != "ELSOM_DATABSE_URL" {
		t.Errorf("strangers %v", c.Strangers)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	vars := with(
		"DATABASE_URL", "postgres://u:planted@db/elsom", "DOSTEK_URL", "http://u:planted@d/pay",
		"SMS_URL", "http://u:planted@k/", "SMS_RECEIPTS_URL", "http://u:planted@w/", "SMTP_URL", "smtp://u:planted@m", "VAPID_KEY", "planted"+strings.Repeat("A", 36),
	)
	c, err := Parse(vars)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n", c, *c)
		fmt.Fprintf(&out, verb+"\n", c.SecretKey)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("configured", "config", c, "secret", c.SecretKey, "whole", *c)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	bad := maps.Clone(vars)
	for name := range bad {
		bad[name] = "planted"
	}
	fmt.Fprint(&out, withoutPublic(problemsOf(t, bad)))
	if strings.Contains(out.String(), "planted") || strings.Contains(out.String(), fmt.Sprintf("%x", "planted")) {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	if out.Len() < 500 {
		t.Errorf("only %d bytes printed: nothing was tried", out.Len())
	}
}

// withoutPublic leaves out the problems of variables that hold no secret:
// their values may be told.
func withoutPublic(problems Problems) Problems {
	var secret Problems
	for _, p := range problems {
		for _, name := range secrets {
			if p.Variable == name {
				secret = append(secret, p)
			}
		}
	}
	return secret
}
