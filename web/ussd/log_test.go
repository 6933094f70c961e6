package ussd_test

import (
	"strings"
	"testing"

	"elsom/internal/testkit/require"
)

// Inputs and personal data are neither logged nor stored in clear.
func TestPersonalDataIsNotLogged(t *testing.T) {
	h := sqlite(t)
	number := h.holder("7391", 100_000)
	call := h.dial(number)
	call.toCheck("123,45")
	var content string
	require.NoError(t, h.DB.Pool().QueryRow("SELECT content || id || heard_hash FROM dialogues ORDER BY began_ms DESC").Scan(&content))
	call.press("7391")
	lines := logged.String()
	if strings.Count(lines, `"msg":"ussd: operation"`) < 5 {
		t.Errorf("operations are not logged:\n%s", lines)
	}
	for _, secret := range []string{company, person, "7391", number.National(), "Бакыт", "dev-ussd"} {
		if strings.Contains(content, secret) {
			t.Errorf("the table has %s in clear", secret)
		}
		for line := range strings.Lines(lines) {
			if strings.Contains(line, `"`+secret) || (len(secret) > 5 && strings.Contains(line, secret)) {
				t.Errorf("the log has %s: %s", secret, line)
			}
		}
	}
}
