package config

import (
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	standard := defaultRetention
	shorter, kept := standard, standard
	shorter.Messages, shorter.Closed = 90*day, 1825*day
	kept.Security = 0
	for text, want := range map[string]Retention{
		"": standard, " , ": standard, "messages=90, closed = 1825": shorter, "security=keep": kept,
	} {
		var problems Problems
		if got := retention(text, &problems); got != want || len(problems) > 0 {
			t.Errorf("%q: %+v, %v", text, got, problems)
		}
	}
	for _, text := range []string{
		"messages", "messages=", "messages=1", "messages=-5", "messages=90d", "messages=1.5", "messages=36501", "messages=99999999999999999999",
		"closed=61", "security=29", "inbox=0", "names=5", "=5", "messages=90,messages=91", "messages=90;closed=90",
	} {
		var problems Problems
		if retention(text, &problems); len(problems) != 1 || problems[0].Variable != retentionName {
			t.Errorf("%q: %v", text, problems)
		}
	}
}
