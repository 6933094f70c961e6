package notice_test

import (
	"testing"

	"elsom/internal/customer"
	"elsom/internal/notice"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
)

// An operation by *900# has no other receipt than its SMS.
func TestOperationsByUSSDAlwaysSendSMS(t *testing.T) {
	silent := customer.Customer{Notices: customer.Notices(0).With(customer.PaymentCompleted, customer.BySMS, false)}
	e := notice.Event{Kind: customer.PaymentCompleted, Key: "payment:1", SMS: sms.OutboxMessage("payment:1", sms.Message{Phone: "+996700123456", Lang: "ru", Key: "sms.password_changed"})}
	if riders := (notice.Sender{}).Riders(t.Context(), silent, e); len(riders) != 0 {
		t.Errorf("%d messages on the site", len(riders))
	}
	e.ByUSSD = true
	if riders := (notice.Sender{}).Riders(t.Context(), silent, e); len(riders) != 1 {
		t.Errorf("%d messages by *900#", len(riders))
	}
}

// Without a mail server no e-mails are queued.
func TestNoEmailsWithoutAServer(t *testing.T) {
	to := customer.Customer{Email: "aida@example.kg", EmailConfirmed: true, Notices: customer.Notices(0).With(customer.ToppedUp, customer.ByEmail, true)}
	e := notice.Event{Kind: customer.ToppedUp, Mail: email.ReceiptMessage("receipt:1", 7, 9)}
	for on, want := range map[bool]int{true: 2, false: 1} {
		if riders := (notice.Sender{Email: on}).Riders(t.Context(), to, e); len(riders) != want {
			t.Errorf("%v: %d messages", on, len(riders))
		}
	}
}
