package page

import (
	"time"

	"elsom/templates/layout"
)

// MessagesPage is `/messages`: what was sent to the holder's number.
type MessagesPage struct {
	layout.Frame
	// Messages, newest first.
	Messages []Message
	// NewestHref is empty on the first page, OlderHref on the last.
	NewestHref, OlderHref string
}

// Message is one SMS as its reader may see it again.
type Message struct {
	Text  string
	State MessageState
	At    time.Time
}

// MessageState is how far a message has come.
type MessageState string

// The states of a message.
const (
	MessageQueued    MessageState = "queued"
	MessageSent      MessageState = "sent"
	MessageDelivered MessageState = "delivered"
	MessageFailed    MessageState = "failed"
)

// look is the icon and the colour of a state.
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

// words is the key of what a state is called.
func (s MessageState) words() string { return "messages.state_" + string(s) }
