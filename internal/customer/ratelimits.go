package customer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// How often a thing may be tried. Limits by address leave room for the many
// phones that a mobile carrier hides behind one. Limits by number alone are
// above what one address may do to it, so that nobody can use up a number's
// tries from one place; an address that the owner once logged in from isn't
// counted by number, so that guesses from many places don't keep the owner out
// at home; a browser that is known for its number is counted by itself alone, so
// that not even guesses from the same address do; and a new password by SMS code
// opens the account anywhere.
var (
	knownAddress = ratelimit.Rule{Name: "known by address", Limit: 300, Window: 15 * time.Minute}

	signupAddress = ratelimit.Rule{Name: "signup by address", Limit: 100, Window: time.Hour}

	loginAddress       = ratelimit.Rule{Name: "login by address", Limit: 200, Window: 15 * time.Minute}
	loginNumber        = ratelimit.Rule{Name: "login by number", Limit: 30, Window: 15 * time.Minute}
	loginNumberAddress = ratelimit.Rule{Name: "login by number and address", Limit: 5, Window: 5 * time.Minute}

	codeAddress          = ratelimit.Rule{Name: "code by address", Limit: 200, Window: time.Hour}
	codeNumber           = ratelimit.Rule{Name: "code by number", Limit: 10, Window: time.Hour}
	codeNumberDay        = ratelimit.Rule{Name: "code by number, daily", Limit: 20, Window: 24 * time.Hour}
	codeNumberAddress    = ratelimit.Rule{Name: "code by number and address", Limit: 5, Window: time.Hour}
	codeNumberAddressDay = ratelimit.Rule{Name: "code by number and address, daily", Limit: 15, Window: 24 * time.Hour}

	// When strangers have used up what a number may get, some codes a day are
	// left for networks that have asked for fewer than this for the number.
	codeNetwork = ratelimit.Rule{Name: "code by number and network, daily", Limit: 2, Window: 24 * time.Hour}
	codeReserve = ratelimit.Rule{Name: "code by number, reserved", Limit: 3, Window: 24 * time.Hour}

	// What a browser of the owner's may do, whatever others do behind the same
	// address.
	knownDevice   = ratelimit.Rule{Name: "known by number and device", Limit: 30, Window: 15 * time.Minute}
	loginDevice   = ratelimit.Rule{Name: "login by number and device", Limit: 5, Window: 5 * time.Minute}
	codeDevice    = ratelimit.Rule{Name: "code by number and device", Limit: 5, Window: time.Hour}
	codeDeviceDay = ratelimit.Rule{Name: "code by number and device, daily", Limit: 15, Window: 24 * time.Hour}

	passwordChange = ratelimit.Rule{Name: "password change", Limit: 5, Window: 5 * time.Minute}
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

// familiarity is how far a request comes from where the holder of a number has been:
// in the same browser, or from the same address.
type familiarity struct{ device, address bool }

// familiarity reports whether the holder of a number (nil: nobody) was here before.
func (cs *Customers) familiarity(ctx context.Context, holder *Record, from Origin) (k familiarity, err error) {
	if holder == nil {
		return familiarity{}, nil
	}
	since := cs.o.Now().Add(-familiarFor)
	if from.Device != "" {
		if k.device, err = cs.isFamiliar(ctx, holder.ID, cs.familiarDevice(holder.ID, from.Device), since); err != nil {
			return familiarity{}, err
		}
	}
	k.address, err = cs.isFamiliar(ctx, holder.ID, cs.familiarAddress(holder.ID, from.Address), since)
	return k, err
}

// limitLookup counts a first step with the number of holder (nil: nobody).
func (cs *Customers) limitLookup(ctx context.Context, number phone.Number, holder *Record, from Origin) error {
	k, err := cs.familiarity(ctx, holder, from)
	switch {
	case err != nil:
		return err
	case k.device:
		//mutant:replace return cs.o.Counters.Take(ctx, knownDevice, number.String()+" "+from.Device) => break ./web TestKnownBrowsersAreServedBehindABusyAddress
		return cs.o.Counters.Take(ctx, knownDevice, number.String()+" "+from.Device)
	}
	return cs.o.Counters.Take(ctx, knownAddress, ratelimit.Address(from.Address))
}

// limitCode counts an SMS code that is about to be sent.
func (cs *Customers) limitCode(ctx context.Context, number phone.Number, from Origin) error {
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return fault.Wrap("customer.code", err)
	}
	k, err := cs.familiarity(ctx, holder, from)
	if err != nil {
		return fault.Wrap("customer.code", err)
	}
	if k.device {
		return cs.takeAll(ctx, number.String()+" "+from.Device, codeDevice, codeDeviceDay)
	}
	if err := cs.o.Counters.Take(ctx, codeAddress, ratelimit.Address(from.Address)); err != nil {
		return err
	}
	//mutant:drop TestSMSAreLimited
	if err := cs.takeAll(ctx, numberAndAddress(number, from.Address), codeNumberAddress, codeNumberAddressDay); err != nil {
		return err
	}
	if k.address {
		return nil
	}
	if err := cs.limitUnfamiliar(ctx, number, from); err != nil {
		return cs.refused(ctx, byNumber, "", err)
	}
	//mutant:replace cs.takeBudget(ctx, from) => nil TestBudgetOfCodesForStrangers
	return cs.takeBudget(ctx, from)
}

// limitUnfamiliar counts a code for a number from where its holder was never seen.
func (cs *Customers) limitUnfamiliar(ctx context.Context, number phone.Number, from Origin) error {
	// Counted each time, so that a network which was refused has no reserve.
	abused := cs.o.Counters.Take(ctx, codeNetwork, number.String()+" "+ratelimit.Network(from.Address))
	if abused != nil && !fault.Is(abused, fault.TooMany) {
		return abused
	}
	//mutant:replace , codeNumberDay => TestCodesOfADayAreLimited
	err := cs.takeAll(ctx, number.String(), codeNumber, codeNumberDay)
	//mutant:replace abused != nil || !fault.Is(err, fault.TooMany) => true ./web TestCodesAreReservedForPlacesWithoutAbuse
	//mutant:replace abused != nil || => ./web TestCodesAreReservedForPlacesWithoutAbuse
	if abused != nil || !fault.Is(err, fault.TooMany) {
		return err
	}
	return cs.o.Counters.Take(ctx, codeReserve, number.String())
}

// takeAll counts one try of subject under several rules.
func (cs *Customers) takeAll(ctx context.Context, subject string, rules ...ratelimit.Rule) error {
	for _, rule := range rules {
		if err := cs.o.Counters.Take(ctx, rule, subject); err != nil {
			return err
		}
	}
	return nil
}

// limitLogin counts a password that is about to be tried.
func (cs *Customers) limitLogin(ctx context.Context, number phone.Number, from Origin, k familiarity) error {
	//mutant:drop TestANeighbourCannotLockTheOwnersBrowserOut
	if k.device {
		//mutant:replace cs.o.Counters.Take(ctx, loginDevice, number.String()+" "+from.Device) => nil TestANeighbourCannotLockTheOwnersBrowserOut
		return cs.o.Counters.Take(ctx, loginDevice, number.String()+" "+from.Device)
	}
	address := from.Address
	//mutant:drop TestGuessesOfAnAddressAreCounted
	if err := cs.o.Counters.Take(ctx, loginAddress, ratelimit.Address(address)); err != nil {
		return err
	}
	//mutant:drop TestGuessesAreCounted
	if err := cs.o.Counters.Take(ctx, loginNumberAddress, numberAndAddress(number, address)); err != nil {
		return err
	}
	//mutant:drop TestTheOwnerGetsInAtHomeWhileStrangersGuess
	if k.address {
		return nil
	}
	//mutant:replace cs.o.Counters.Take(ctx, loginNumber, number.String()) => nil TestStrangersCannotLockTheOwnerOut
	return cs.o.Counters.Take(ctx, loginNumber, number.String())
}

// resetLogin gives the tries back: who knows the password is no guesser.
// Those by address stay: one right password doesn't excuse guesses elsewhere.
func (cs *Customers) resetLogin(ctx context.Context, number phone.Number, from Origin) error {
	address := from.Address
	if from.Device != "" {
		if err := cs.o.Counters.Reset(ctx, loginDevice, number.String()+" "+from.Device); err != nil {
			return err
		}
	}
	if err := cs.o.Counters.Reset(ctx, loginNumberAddress, numberAndAddress(number, address)); err != nil {
		return err
	}
	return cs.o.Counters.Reset(ctx, loginNumber, number.String())
}

func numberAndAddress(number phone.Number, address string) string {
	return number.String() + " " + ratelimit.Address(address)
}

// hash is a keyed hash of several texts, none of which can run into the next.
func (cs *Customers) hash(texts ...string) string {
	mac := hmac.New(sha256.New, cs.key)
	for _, text := range texts {
		fmt.Fprintf(mac, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(mac.Sum(nil))
}
