package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"elsom/internal/checkpoint"
)

const (
	testSecret = "planted-secret-planted-secret-planted"
	testPepper = "planted-pepper-planted-pepper-planted"
	testBooks  = "planted-books-key-planted-books-key"
)

// checkpointKeyOf returns a key of checkpoints that is derived from a text.
func checkpointKeyOf(text string) string {
	key, err := checkpoint.DevelopmentKey([]byte(text))
	if err != nil {
		panic(err)
	}
	return key
}

// with returns the environment of a production server with changes.
func with(changes ...string) map[string]string {
	vars := map[string]string{
		"ELSOM_SECRET_KEY":      testSecret,
		"ELSOM_PIN_PEPPER":      testPepper,
		"ELSOM_BOOKS_KEY":       testBooks,
		"ELSOM_CHECKPOINT_KEY":  checkpointKeyOf("the tests"),
		"ELSOM_CHECKPOINT_FILE": "/var/lib/elsom-checkpoint/checkpoint",
		"ELSOM_BASE_URL":        "https://wallet.example",

		"ELSOM_TRUSTED_PROXIES": "127.0.0.1",
		"ELSOM_DATABASE_URL":    "sqlite:/var/lib/elsom/elsom.db",
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
	c, err := Parse(with("BASE_URL", "", "TRUSTED_PROXIES", ""))
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != Production || c.Listen != "127.0.0.1:8080" || c.BaseURL != "http://127.0.0.1:8080" ||
		c.DatabaseURL.Reveal() != "sqlite:/var/lib/elsom/elsom.db" || c.Warnings != nil || c.DosTekURL.Set() || c.MetricsListen != "" || !c.RateLimits || c.Drain != 5*time.Second {
		t.Errorf("defaults of production: %+v", c)
	}
	d, err := Parse(map[string]string{"ELSOM_MODE": "development"})
	if err != nil {
		t.Fatal(err)
	}
	if d.DatabaseURL.Reveal() != "sqlite:var/elsom.db" || d.DosTekURL.Reveal() != "http://127.0.0.1:8090/pay" || len(d.SecretKey) < secretBytes ||
		d.PINPepper != pepperOf(d.SecretKey) || len(d.BooksKeys().IDs()) != 1 || d.BooksEnforce || !d.Development() || d.Drain != 0 {
		t.Errorf("defaults of development: %+v", d)
	}
}

func TestAccepted(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"postgres":                    with("DATABASE_URL", "postgres://u:p@db/elsom"),
		"postgres by socket":          with("DATABASE_URL", "postgres:///elsom?host=/run/postgresql"),
		"all interfaces":              with("LISTEN", ":8080"),
		"all trusted in development":  {"ELSOM_MODE": "development", "ELSOM_TRUSTED_PROXIES": "0.0.0.0/0"},
		"http on loopback":            with("BASE_URL", "http://localhost:8080/"),
		"IPv6 loopback":               {"ELSOM_MODE": "development", "ELSOM_LISTEN": "[::1]:0"},
		"without rate limits":         {"ELSOM_MODE": "development", "ELSOM_RATE_LIMITS": "off"},
		"an empty variable":           with("LISTEN", ""),
		"a short drain":               with("DRAIN", "500ms"),
		"an SMS budget":               with("SMS_BUDGET", "50000"),
		"push services":               with("PUSH_HOSTS", "push.example.net, *.Push.example.kg,"),
		"proxies, one address":        with("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,"),
		"all private networks":        with("TRUSTED_PROXIES", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,127.0.0.0/8,::1"),
		"networks of a proxy service": with("TRUSTED_PROXIES", "104.16.0.0/13,2606:4700::/32,2a06:98c0::/29,::ffff:10.0.0.0/104"),
		"variables of the tests":      with("TEST_ISOLATION", "serializable", "TEST_POSTGRES", "x"),
		"an empty mistyped variable":  with("DATABASE_ULR", ""),
		"a biller's own query":        with("DOSTEK_URL", "https://u:p@dostek.example/pay?token=1"),
		"two keys of the books":       with("BOOKS_KEY", testBooks+"\n# the one before\nanother-"+testBooks+"\n", "BOOKS_ENFORCE", "on"),
		"mail":                        with("SMTP_URL", "smtps://u:p@mail.example:465"),
	} {
		if problems := problemsOf(t, vars); problems != nil {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// refusal is an environment with the variable that is wrong in it.
type refusal struct {
	vars     map[string]string
	variable string
}

func wantProblems(t *testing.T, cases map[string]refusal) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			problems := problemsOf(t, c.vars)
			if len(problems) == 0 || problems[0].Variable != c.variable {
				t.Errorf("problems %v, want one of %s", problems, c.variable)
			}
			if strings.Count(problems.Error(), "\n") != len(problems)-1 {
				t.Errorf("not one line for each of %d problems: %q", len(problems), problems.Error())
			}
		})
	}
}

func TestRefused(t *testing.T) {
	wantProblems(t, map[string]refusal{
		"mode":                                {with("MODE", "test"), "ELSOM_MODE"},
		"development on all":                  {with("MODE", "development", "LISTEN", ":8080"), "ELSOM_LISTEN"},
		"development on an address":           {with("MODE", "development", "LISTEN", "192.0.2.1:80"), "ELSOM_LISTEN"},
		"development, metrics on all":         {with("MODE", "development", "METRICS_LISTEN", "0.0.0.0:90"), "ELSOM_METRICS_LISTEN"},
		"no port":                             {with("LISTEN", "127.0.0.1"), "ELSOM_LISTEN"},
		"port of letters":                     {with("LISTEN", "127.0.0.1:http"), "ELSOM_LISTEN"},
		"port above all":                      {with("LISTEN", "127.0.0.1:65536"), "ELSOM_LISTEN"},
		"http in production":                  {with("BASE_URL", "http://wallet.example"), "ELSOM_BASE_URL"},
		"base with a path":                    {with("BASE_URL", "https://wallet.example/app"), "ELSOM_BASE_URL"},
		"base of another kind":                {with("BASE_URL", "ftp://wallet.example"), "ELSOM_BASE_URL"},
		"base for all interfaces":             {with("BASE_URL", "", "LISTEN", "0.0.0.0:8080"), "ELSOM_BASE_URL"},
		"database of another kind":            {with("DATABASE_URL", "mysql://db/x"), "ELSOM_DATABASE_URL"},
		"database without a path":             {with("DATABASE_URL", "sqlite:"), "ELSOM_DATABASE_URL"},
		"no secret":                           {with("SECRET_KEY", ""), "ELSOM_SECRET_KEY"},
		"short secret":                        {with("SECRET_KEY", testSecret[:31]), "ELSOM_SECRET_KEY"},
		"development's secret":                {with("SECRET_KEY", developmentSecret), "ELSOM_SECRET_KEY"},
		"no pepper":                           {with("PIN_PEPPER", ""), "ELSOM_PIN_PEPPER"},
		"short pepper":                        {with("PIN_PEPPER", testPepper[:31]), "ELSOM_PIN_PEPPER"},
		"development's pepper":                {with("PIN_PEPPER", pepperOf(developmentSecret).Reveal()), "ELSOM_PIN_PEPPER"},
		"pepper that is the secret":           {with("PIN_PEPPER", testSecret), "ELSOM_PIN_PEPPER"},
		"a checkpoint key of another kind":    {with("CHECKPOINT_KEY", testBooks), "ELSOM_CHECKPOINT_KEY"},
		"development's checkpoint key":        {with("CHECKPOINT_KEY", checkpointKeyOf(developmentSecret)), "ELSOM_CHECKPOINT_KEY"},
		"a short key of the books":            {with("BOOKS_KEY", testBooks[:31]), "ELSOM_BOOKS_KEY"},
		"a second key that is short":          {with("BOOKS_KEY", testBooks+"\nshort"), "ELSOM_BOOKS_KEY"},
		"a key that is the secret":            {with("BOOKS_KEY", testSecret), "ELSOM_BOOKS_KEY"},
		"enforced without a key":              {with("BOOKS_KEY", "", "BOOKS_ENFORCE", "on"), "ELSOM_BOOKS_ENFORCE"},
		"enforced neither on nor off":         {with("BOOKS_ENFORCE", "yes"), "ELSOM_BOOKS_ENFORCE"},
		"no limits in production":             {with("RATE_LIMITS", "off"), "ELSOM_RATE_LIMITS"},
		"a PIN's life without a unit":         {with("ISSUED_PIN_LIFE", "30"), "ELSOM_ISSUED_PIN_LIFE"},
		"a PIN's life shorter than its SMS's": {with("ISSUED_PIN_LIFE", "1h"), "ELSOM_ISSUED_PIN_LIFE"},
		"a drain without end":                 {with("DRAIN", "1h"), "ELSOM_DRAIN"},
		"a budget of no SMS":                  {with("SMS_BUDGET", "0"), "ELSOM_SMS_BUDGET"},
		"a budget that is no number":          {with("SMS_BUDGET", "5k"), "ELSOM_SMS_BUDGET"},
		"a drain without a unit":              {with("DRAIN", "5"), "ELSOM_DRAIN"},
		"limits neither on nor off":           {with("RATE_LIMITS", "0"), "ELSOM_RATE_LIMITS"},
		"no database":                         {with("DATABASE_URL", ""), "ELSOM_DATABASE_URL"},
		"plain http on all of IPv4":           {with("BASE_URL", "http://localhost:8080", "LISTEN", "0.0.0.0:8080"), "ELSOM_LISTEN"},
		"plain http on all":                   {with("BASE_URL", "http://127.0.0.1", "LISTEN", ":8080"), "ELSOM_LISTEN"},
		"secret with few different bytes":     {with("SECRET_KEY", strings.Repeat("abcdefg", 8)), "ELSOM_SECRET_KEY"},
		"pepper with one repeated byte":       {with("PIN_PEPPER", strings.Repeat("0", 64)), "ELSOM_PIN_PEPPER"},
		"metrics on the portal's address":     {with("METRICS_LISTEN", "127.0.0.1:8080"), "ELSOM_METRICS_LISTEN"},
		"not a P-256 key":                     {with("VAPID_KEY", "planted"), "ELSOM_VAPID_KEY"},
		"a P-256 key of zeros":                {with("VAPID_KEY", strings.Repeat("A", 43)), "ELSOM_VAPID_KEY"},
		"a push service's IP address":         {with("PUSH_HOSTS", "192.0.2.1"), "ELSOM_PUSH_HOSTS"},
		"a top-level domain of push services": {with("PUSH_HOSTS", "push.example.net,*.kg"), "ELSOM_PUSH_HOSTS"},
		"any push service":                    {with("PUSH_HOSTS", "*"), "ELSOM_PUSH_HOSTS"},
		"a push service's URL":                {with("PUSH_HOSTS", "https://push.example.net"), "ELSOM_PUSH_HOSTS"},
		"a file that does not exist":          {with("SECRET_KEY", "", "SECRET_KEY_FILE", "/nowhere/secret"), "ELSOM_SECRET_KEY_FILE"},
		"given as a variable and as a file":   {with("SECRET_KEY_FILE", "/nowhere/secret"), "ELSOM_SECRET_KEY"},
	})
}

func TestRefusedAddresses(t *testing.T) {
	wantProblems(t, map[string]refusal{
		"proxy by name":                        {with("TRUSTED_PROXIES", "proxy.example"), "ELSOM_TRUSTED_PROXIES"},
		"all of IPv4 as proxy":                 {with("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"), "ELSOM_TRUSTED_PROXIES"},
		"all of IPv6 as proxy":                 {with("TRUSTED_PROXIES", "::/0"), "ELSOM_TRUSTED_PROXIES"},
		"IPv4 in two halves":                   {with("TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1"), "ELSOM_TRUSTED_PROXIES"},
		"IPv6 in two halves":                   {with("TRUSTED_PROXIES", "::/1,8000::/1"), "ELSOM_TRUSTED_PROXIES"},
		"all global IPv6":                      {with("TRUSTED_PROXIES", "2000::/3"), "ELSOM_TRUSTED_PROXIES"},
		"IPv4 mapped to IPv6":                  {with("TRUSTED_PROXIES", "::ffff:0:0/96"), "ELSOM_TRUSTED_PROXIES"},
		"half of IPv4 in small networks":       {with("TRUSTED_PROXIES", pieces()), "ELSOM_TRUSTED_PROXIES"},
		"https without a proxy":                {with("TRUSTED_PROXIES", ""), "ELSOM_TRUSTED_PROXIES"},
		"https without a proxy in development": {map[string]string{"ELSOM_MODE": "development", "ELSOM_BASE_URL": "https://wallet.example"}, "ELSOM_TRUSTED_PROXIES"},
		"DosTek":                               {with("DOSTEK_URL", "dostek.example/pay"), "ELSOM_DOSTEK_URL"},
		"SMS":                                  {with("SMS_URL", "smpp://kannel"), "ELSOM_SMS_URL"},
		"receipts":                             {with("SMS_RECEIPTS_URL", "wallet.example/sms/dlr"), "ELSOM_SMS_RECEIPTS_URL"},
		"mail":                                 {with("SMTP_URL", "mail.example"), "ELSOM_SMTP_URL"},
		"DosTek with a fragment":               {with("DOSTEK_URL", "https://dostek.example/pay#x"), "ELSOM_DOSTEK_URL"},
		"DosTek with a protocol parameter":     {with("DOSTEK_URL", "https://dostek.example/pay?sum=1"), "ELSOM_DOSTEK_URL"},
		"DosTek with a bad query":              {with("DOSTEK_URL", "https://dostek.example/pay?a=%zz"), "ELSOM_DOSTEK_URL"},
		"SMS without a user":                   {with("SMS_URL", "http://127.0.0.1:13013/cgi-bin/sendsms"), "ELSOM_SMS_URL"},
		"SMS without a password":               {with("SMS_URL", "http://u@127.0.0.1:13013/cgi-bin/sendsms"), "ELSOM_SMS_URL"},
		"receipts without a gateway":           {with("SMS_RECEIPTS_URL", "http://127.0.0.1/sms/dlr"), "ELSOM_SMS_RECEIPTS_URL"},
		"receipts, password to be escaped":     {with("SMS_RECEIPTS_URL", "http://u:p%25@127.0.0.1/sms/dlr"), "ELSOM_SMS_RECEIPTS_URL"},
		"receipts with a query":                {with("SMS_RECEIPTS_URL", "http://u:p@127.0.0.1/sms/dlr?a=1"), "ELSOM_SMS_RECEIPTS_URL"},
	})
}

// pieces returns small networks that together are half of
// IPv4.
func pieces() string {
	var list []string
	for i := range 128 {
		list = append(list, fmt.Sprintf("%d.0.0.0/8", i))
	}
	return strings.Join(list, ",")
}

// A name similar to a known one is an error: the default would be used silently.
// Other unknown names may belong to another release.
func TestMistypedNames(t *testing.T) {
	for name, meant := range map[string]string{
		"ELSOM_DATABASE_ULR": "ELSOM_DATABASE_URL", "ELSOM_DATABSE_URL": "ELSOM_DATABASE_URL", "ELSOM_DATABASEURL": "ELSOM_DATABASE_URL",
		"ELSON_DATABASE_URL": "ELSOM_DATABASE_URL", "ELSOMDATABASE_URL": "ELSOM_DATABASE_URL", "elsom_database_url": "ELSOM_DATABASE_URL",
		"ELSOM_DATABASES_URLS": "ELSOM_DATABASE_URL", "ELSOM_DATABASE_URL_FIEL": "ELSOM_DATABASE_URL_FILE", "ELSOM_SECRET_KEYFILE": "ELSOM_SECRET_KEY_FILE",
		"ELSOM_MOD": "ELSOM_MODE", "ELSOM_LISTNE": "ELSOM_LISTEN", "ELSOM_TRUSTED_PROXY": "", "ELSOM_TRUSTED_PROXIS": "ELSOM_TRUSTED_PROXIES",
		"ELSOM_PIN_PEPER": "ELSOM_PIN_PEPPER", "ELSOM_RATELIMIT": "ELSOM_RATE_LIMITS", "ELSOM_METRIC_LISTEN": "ELSOM_METRICS_LISTEN",
		// Not mistyped: of another release or program.
		"ELSOM_OFFICE_LISTEN": "", "ELSOM_NOTE": "", "ELSOM_TEST_MODE": "", "SOCHI_DATABASE": "", "DATABASE_URL": "",
	} {
		vars := with()
		vars[name] = "sqlite:x"
		problems := problemsOf(t, vars)
		if meant == "" {
			if problems != nil {
				t.Errorf("%s is refused: %v", name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Variable != name || !strings.Contains(problems[0].Reason, "did you mean "+meant+"?") {
			t.Errorf("%s: %v, want one about %s", name, problems, meant)
		}
	}
	for _, name := range knownNames() {
		if problems := (Problems)(nil); checkNames(map[string]string{name: "x"}, knownNames(), &problems) != nil || problems != nil {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// A setting that is right in one network and wrong in another is logged.
func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		vars     map[string]string
		variable string
	}{
		"an unknown name":        {with("OFFICE_LISTEN", "x"), "ELSOM_OFFICE_LISTEN"},
		"no checkpoint key":      {with("CHECKPOINT_KEY", ""), "ELSOM_CHECKPOINT_KEY"},
		"no checkpoint file":     {with("CHECKPOINT_FILE", ""), "ELSOM_CHECKPOINT_FILE"},
		"no key of the books":    {with("BOOKS_KEY", ""), "ELSOM_BOOKS_KEY"},
		"an unknown file":        {with("LISTEN_FILE", "/x"), "ELSOM_LISTEN_FILE"},
		"portal on all of IPv4":  {with("LISTEN", "0.0.0.0:8080"), "ELSOM_LISTEN"},
		"portal on all of IPv6":  {with("LISTEN", "[::]:8080"), "ELSOM_LISTEN"},
		"portal on all":          {with("LISTEN", ":8080"), "ELSOM_LISTEN"},
		"portal on all, mapped":  {with("LISTEN", "[::ffff:0.0.0.0]:8080"), "ELSOM_LISTEN"},
		"metrics on all of IPv4": {with("METRICS_LISTEN", "0.0.0.0:9090"), "ELSOM_METRICS_LISTEN"},
		"metrics on all of IPv6": {with("METRICS_LISTEN", "[::]:9090"), "ELSOM_METRICS_LISTEN"},
		"metrics on all":         {with("METRICS_LISTEN", ":9090"), "ELSOM_METRICS_LISTEN"},
		"a biller without TLS":   {with("DOSTEK_URL", "http://dostek.example/pay"), "ELSOM_DOSTEK_URL"},
		"SMS without TLS":        {with("SMS_URL", "http://u:p@10.0.0.3:13013/"), "ELSOM_SMS_URL"},
		"receipts without TLS":   {with("SMS_RECEIPTS_URL", "http://u:p@10.0.0.4/sms/dlr"), "ELSOM_SMS_RECEIPTS_URL"},
		"mail with optional TLS": {with("SMTP_URL", "smtp://u:p@mail.example?tls=optional"), "ELSOM_SMTP_URL"},
		"nothing":                {with("LISTEN", "10.0.0.2:8080", "METRICS_LISTEN", "10.0.0.2:9090", "DOSTEK_URL", "https://dostek.example/pay", "SMTP_URL", "smtp://m"), ""},
		"nothing on loopback": {with("DOSTEK_URL", "http://127.0.0.1/pay", "SMS_URL", "http://u:p@localhost:13013/", "SMTP_URL", "smtp://[::1]:25",
			"SMS_RECEIPTS_URL", "http://u:p@127.0.0.1:8080/sms/dlr"), ""},
		"nothing in development": {map[string]string{"ELSOM_MODE": "development", "ELSOM_DOSTEK_URL": "http://stand-in.example/pay"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := Parse(c.vars)
			if err != nil {
				t.Fatal(err)
			}
			if c.variable == "" {
				if parsed.Warnings != nil {
					t.Errorf("warnings: %v", parsed.Warnings)
				}
				return
			}
			if len(parsed.Warnings) != 1 || parsed.Warnings[0].Variable != c.variable || !strings.Contains(parsed.Warnings[0].Reason, "; ") {
				t.Errorf("warnings %v, want one of %s that says what to do", parsed.Warnings, c.variable)
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

func TestParseDatabase(t *testing.T) {
	database, err := ParseDatabase(map[string]string{"ELSOM_DATABASE_URL": "sqlite:x.db", "ELSOM_LISTEN": "nonsense"})
	if err != nil || database.Reveal() != "sqlite:x.db" {
		t.Errorf("got %q, %v", database.Reveal(), err)
	}
	for variable, vars := range map[string]map[string]string{
		"ELSOM_DATABASE_URL": {"ELSOM_DATABASE_URL": "x"}, "ELSOM_DATABASE_ULR": {"ELSOM_DATABASE_ULR": "sqlite:x.db", "ELSOM_LISTNE": "x"},
		"ELSOM_DATABASE_URL:": {}, "ELSOM_MODEE": {"ELSOM_MODEE": "development", "ELSOM_DATABASE_URL": "sqlite:x.db"},
	} {
		if address, err := ParseDatabase(vars); err == nil || !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), "LISTNE") {
			t.Errorf("%v: %q, %v", vars, address.Reveal(), err)
		}
	}
	if address, err := ParseDatabase(map[string]string{"ELSOM_MODE": "development"}); err != nil || address.Reveal() != developmentDatabase {
		t.Errorf("development: %q, %v", address.Reveal(), err)
	}
}

// The books' keys are read without the server's other secrets.
func TestParseBooks(t *testing.T) {
	development, err := Parse(map[string]string{"ELSOM_MODE": "development"})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		vars map[string]string
		keys int
		same bool // as development's
	}{
		"none":                     {map[string]string{"ELSOM_SECRET_KEY_FILE": "/missing"}, 0, false},
		"two":                      {map[string]string{"ELSOM_BOOKS_KEY": testBooks + "\nanother-" + testBooks, "ELSOM_BOOKS_ENFORCE": "on"}, 2, false},
		"development":              {map[string]string{"ELSOM_MODE": "development"}, 1, true},
		"development, its own key": {map[string]string{"ELSOM_MODE": "development", "ELSOM_BOOKS_KEY": testBooks}, 1, false},
		"development, its secret":  {map[string]string{"ELSOM_MODE": "development", "ELSOM_SECRET_KEY": testSecret}, 1, false},
	} {
		keys, enforce, err := ParseBooks(c.vars)
		if err != nil || len(keys.IDs()) != c.keys || enforce != (c.vars["ELSOM_BOOKS_ENFORCE"] == "on") {
			t.Errorf("%s: %v, %t, %v", what, keys, enforce, err)
			continue
		}
		if same := c.keys > 0 && keys.IDs()[0] == development.BooksKeys().IDs()[0]; same != c.same {
			t.Errorf("%s: development's key: %t", what, same)
		}
	}
	for what, vars := range map[string]map[string]string{
		"short":          {"ELSOM_BOOKS_KEY": "short"},
		"no file":        {"ELSOM_BOOKS_KEY_FILE": "/missing"},
		"enforce":        {"ELSOM_BOOKS_ENFORCE": "on"},
		"no secret file": {"ELSOM_MODE": "development", "ELSOM_SECRET_KEY_FILE": "/missing"},
	} {
		if keys, _, err := ParseBooks(vars); err == nil {
			t.Errorf("%s: %v", what, keys)
		}
	}
}
