package page

import (
	"time"

	"elsom/templates/layout"
)

// MessagesPage is `/messages`, the SMS sent to the customer's number.
type MessagesPage struct {
	layout.Frame
	// Messages are newest first.
	Messages []Message
	// NewestHref is the first page; empty there. OlderHref is the next page; empty on
	// the last.
	NewestHref, OlderHref string
}

// Message is one SMS, with secrets masked.
type Message struct {
	Text  string
	State MessageState
	At    time.Time
}

// MessageState is the state of a message.
type MessageState string

// The states of a message.
const (
	MessageQueued    MessageState = "queued"
	MessageSent      MessageState = "sent"
	MessageDelivered MessageState = "delivered"
	MessageFailed    MessageState = "failed"
)

// look returns the icon and the CSS class of a state.
func (s MessageState) look() (icon, class string) {
	switch s {
	case MessageQueued:
		return "hourglass", "state-processing"
	case MessageDelivered:
		return "circle-check", "state-completed"
	case MessageFailed:
		return "circle-x", "state-processing"
	}
	return "arrow-up-right", "state-refunded"
}

func (s MessageState) icon() string  { icon, _ := s.look(); return icon }
func (s MessageState) class() string { _, class := s.look(); return class }

// words returns the message key of a state.
func (s MessageState) words() string { return "messages.state_" + string(s) }
