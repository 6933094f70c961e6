package portal

import "elsom/internal/fault"

// feeChanged reports whether a draft was refused because the fee has changed.
func feeChanged(err error) bool { return fault.As(err).Message == "payment.fee_changed" }

// pinOwed reports whether the site requires the wallet's PIN before the operation.
func pinOwed(err error) bool { return err != nil && fault.As(err).Message == "customer.pin_owed" }

// receiverFull reports whether a transfer exceeds the receiver's limit, not the
// sender's.
func receiverFull(f *fault.Error) bool { return f.Message == "wallet.receiver_full" }
