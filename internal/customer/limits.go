package customer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"elsom/internal/attempt"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

// How often a thing may be tried. Limits by address leave room for the many
// phones that a mobile carrier hides behind one. Limits by number alone are
// above what one address may do to it, so that nobody can use up a number's
// tries from one place; who once logged in from an address isn't counted by
// number there, so that guesses from many places don't keep the owner out at
// home; a browser in which the owner once logged in is counted by itself
// alone, so that not even guesses from the same address do; and a new password
// by SMS code opens the account anywhere.
var (
	knownAddress = attempt.Rule{Name: "known by address", Limit: 300, Window: 15 * time.Minute}

	signupAddress = attempt.Rule{Name: "signup by address", Limit: 100, Window: time.Hour}

	loginAddress       = attempt.Rule{Name: "login by address", Limit: 200, Window: 15 * time.Minute}
	loginNumber        = attempt.Rule{Name: "login by number", Limit: 30, Window: 15 * time.Minute}
	loginNumberAddress = attempt.Rule{Name: "login by number and address", Limit: 5, Window: 5 * time.Minute}

	codeAddress       = attempt.Rule{Name: "code by address", Limit: 200, Window: time.Hour}
	codeNumber        = attempt.Rule{Name: "code by number", Limit: 10, Window: time.Hour}
	codeNumberAddress = attempt.Rule{Name: "code by number and address", Limit: 5, Window: time.Hour}

	// What a browser of the owner's may do, whatever others do behind the same
	// address.
	loginDevice = attempt.Rule{Name: "login by number and device", Limit: 5, Window: 5 * time.Minute}
	codeDevice  = attempt.Rule{Name: "code by number and device", Limit: 5, Window: time.Hour}

	passwordChange = attempt.Rule{Name: "password change", Limit: 5, Window: 5 * time.Minute}
)

// Origin is where a request comes from.
type Origin struct {
	// Address is the network address.
	Address string
	// Device names the browser by a secret that only it has; empty where it
	// has none.
	Device string
}

// familiarFor is how long an address or a browser counts as the owner's.
const familiarFor = 90 * 24 * time.Hour

// deviceIs tells whether the owner of a number has logged in from a browser.
func (cs *Customers) deviceIs(ctx context.Context, number phone.Number, device string) (bool, error) {
	if device == "" {
		return false, nil
	}
	holder, err := cs.readByPhone(ctx, number)
	if err != nil || holder == nil {
		return false, err
	}
	return cs.isFamiliar(ctx, holder.ID, cs.familiarDevice(holder.ID, device), cs.o.Now().Add(-familiarFor))
}

// takeCode counts an SMS code that is about to be sent.
func (cs *Customers) takeCode(ctx context.Context, number phone.Number, from Origin) error {
	owners, err := cs.deviceIs(ctx, number, from.Device)
	if err != nil {
		return fault.Wrap("customer.code", err)
	}
	if owners {
		return cs.o.Attempts.Take(ctx, codeDevice, number.String()+" "+from.Device)
	}
	address := from.Address
	if err := cs.o.Attempts.Take(ctx, codeAddress, attempt.Place(address)); err != nil {
		return err
	}
	if err := cs.o.Attempts.Take(ctx, codeNumberAddress, both(number, address)); err != nil {
		return err
	}
	return cs.o.Attempts.Take(ctx, codeNumber, number.String())
}

// takeLogin counts a password that is about to be tried.
func (cs *Customers) takeLogin(ctx context.Context, number phone.Number, from Origin, familiar, owners bool) error {
	if owners {
		return cs.o.Attempts.Take(ctx, loginDevice, number.String()+" "+from.Device)
	}
	address := from.Address
	if err := cs.o.Attempts.Take(ctx, loginAddress, attempt.Place(address)); err != nil {
		return err
	}
	if err := cs.o.Attempts.Take(ctx, loginNumberAddress, both(number, address)); err != nil {
		return err
	}
	if familiar {
		return nil
	}
	return cs.o.Attempts.Take(ctx, loginNumber, number.String())
}

// forgetLogin gives the tries back: who knows the password is no guesser.
// Those by address stay: one right password doesn't excuse guesses elsewhere.
func (cs *Customers) forgetLogin(ctx context.Context, number phone.Number, from Origin) error {
	address := from.Address
	if from.Device != "" {
		if err := cs.o.Attempts.Reset(ctx, loginDevice, number.String()+" "+from.Device); err != nil {
			return err
		}
	}
	if err := cs.o.Attempts.Reset(ctx, loginNumberAddress, both(number, address)); err != nil {
		return err
	}
	return cs.o.Attempts.Reset(ctx, loginNumber, number.String())
}

func both(number phone.Number, address string) string {
	return number.String() + " " + attempt.Place(address)
}

// hash is a keyed hash of several texts, none of which can run into the next.
func (cs *Customers) hash(texts ...string) string {
	mac := hmac.New(sha256.New, cs.key)
	for _, text := range texts {
		fmt.Fprintf(mac, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(mac.Sum(nil))
}
