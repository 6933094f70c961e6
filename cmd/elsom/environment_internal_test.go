package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elsom/internal/checkpoint"
	"elsom/internal/notify/push/webpush"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// The variables of keys, in a fixed order.
var keyVariables = []string{"ELSOM_SECRET_KEY", "ELSOM_PIN_PEPPER", "ELSOM_BOOKS_KEY", "ELSOM_CHECKPOINT_KEY", "ELSOM_VAPID_KEY"}

// keysOf returns the variables of keys that a command uses, so that a wrong value ends it.
// `agent` and `gateway` use the secret, and `payment` the key of push notifications, only
// where they are usable.
func keysOf(name string) []string {
	group, _, _ := strings.Cut(name, " ")
	switch {
	case name == "serve", name == "customer pin", name == "key status":
		return keyVariables
	case group == "biller", name == "sms test":
		return slices.DeleteFunc(slices.Clone(keyVariables), func(v string) bool { return v == "ELSOM_PIN_PEPPER" })
	case name == "audit", name == "log branch":
		return []string{"ELSOM_BOOKS_KEY", "ELSOM_CHECKPOINT_KEY"}
	case name == "verify": // and only without --key
		return []string{"ELSOM_CHECKPOINT_KEY"}
	case slices.Contains(withoutDatabase, name), name == "key rotate", name == "restore":
		return nil
	}
	return []string{"ELSOM_BOOKS_KEY"}
}

// A command reads the keys that it uses: a wrong one ends it, and wrong ones that it
// doesn't use are not looked at. `elsom help config` lists them.
func TestCommandsReadTheirKeys(t *testing.T) {
	t.Parallel()
	checkpoints, err := checkpoint.DevelopmentKey([]byte("the keys of this test"))
	require.NoError(t, err)
	push, err := webpush.NewKey()
	require.NoError(t, err)
	settings := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "elsom.db"), "ELSOM_LISTEN=" + system.FreeAddress(t)}
	right := []string{system.SecretKey, system.PINPepper, system.BooksKey, "ELSOM_CHECKPOINT_KEY=" + checkpoints, "ELSOM_VAPID_KEY=" + push}
	if out := system.Run(t, settings, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	// with returns the environment with wrong values of variables.
	with := func(wrong ...string) []string {
		env := slices.Clone(settings)
		for i, variable := range keyVariables {
			if slices.Contains(wrong, variable) {
				env = append(env, variable+"=wrong")
			} else {
				env = append(env, right[i])
			}
		}
		return env
	}
	for _, name := range commandNames(t) {
		uses := keysOf(name)
		unused := slices.DeleteFunc(slices.Clone(keyVariables), func(v string) bool { return slices.Contains(uses, v) })
		if len(unused) > 0 {
			out := runLine(t, with(unused...), name)
			for _, variable := range unused {
				if strings.Contains(out.Stderr, variable) {
					t.Errorf("elsom %s looks at %s: %+v", name, variable, out)
				}
			}
		}
		for _, variable := range uses {
			if out := runLine(t, with(variable), name); !strings.Contains(out.Stderr, variable) || (out.Code != exitNotTried && name != "backup") {
				t.Errorf("elsom %s doesn't look at %s: %+v", name, variable, out)
			}
		}
	}
}
