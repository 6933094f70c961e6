package customer

// Channel is how a customer reached the application. It is stored with
// registrations, offer acceptances, payments and transfers.
type Channel string

// The channels.
const (
	Web  Channel = "web"
	USSD Channel = "ussd" // *900#
)
