package main

import (
	"testing"
	"time"

	"elsom/internal/config"
)

// What is kept for good has no job.
func TestRetentionJob(t *testing.T) {
	t.Parallel()
	a := &app{config: &config.Config{Retention: config.Retention{Messages: time.Hour}}}
	if jobs := a.retained(); len(jobs) != 1 || jobs["messages"] == nil {
		t.Errorf("%v", jobs)
	}
	a.config.Retention = config.Retention{Messages: time.Hour, Inbox: time.Hour, Closed: time.Hour}
	if jobs := a.retained(); len(jobs) != 4 {
		t.Errorf("%v", jobs)
	}
}
