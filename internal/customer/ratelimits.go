package customer

import (
	"context"
	"slices"
	"time"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// Rate limits of lookups ("is there a wallet with this number?"), logins and SMS
// codes.
//
// Limits by address are high, because many phones of a mobile carrier share one
// address. Limits by number alone are higher than those by number and address, so
// that one address can't exhaust a number. Two exceptions keep attackers from
// locking an owner out: a familiar address is not counted by number, and a familiar
// browser has counters of its own. A right password and a new password reset the
// counters of logins by number.
var (
	lookupAddress = ratelimit.Rule{Name: "known by address", Limit: 300, Window: 15 * time.Minute}

	signupAddress = ratelimit.Rule{Name: "signup by address", Limit: 100, Window: time.Hour}

	loginAddress = ratelimit.Rule{Name: "login by address", Limit: 200, Window: 15 * time.Minute}
	loginNumber  = ratelimit.Rule{Name: "login by number", Limit: 30, Window: 15 * time.Minute}
	// From the limit on, a login in an unfamiliar browser needs an SMS code too.
	loginFailures = ratelimit.Rule{Name: "failed logins by number, daily", Limit: 100, Window: 24 * time.Hour}
	// SMS about logins in new browsers.
	newBrowserNotice = ratelimit.Rule{Name: "notice of a new browser", Limit: 3, Window: 24 * time.Hour}

	loginNumberAddress = ratelimit.Rule{Name: "login by number and address", Limit: 5, Window: 5 * time.Minute}

	codeAddress          = ratelimit.Rule{Name: "code by address", Limit: 200, Window: time.Hour}
	codeNumber           = ratelimit.Rule{Name: "code by number", Limit: 10, Window: time.Hour}
	codeNumberDay        = ratelimit.Rule{Name: "code by number, daily", Limit: 20, Window: 24 * time.Hour}
	codeNumberAddress    = ratelimit.Rule{Name: "code by number and address", Limit: 5, Window: time.Hour}
	codeNumberAddressDay = ratelimit.Rule{Name: "code by number and address, daily", Limit: 15, Window: 24 * time.Hour}

	// An attacker can exhaust codeNumber and codeNumberDay for a number. Then
	// codeReserve more codes a day are sent for requests from networks that have asked
	// at most codeNetwork times a day for this number.
	codeNetwork = ratelimit.Rule{Name: "code by number and network, daily", Limit: 2, Window: 24 * time.Hour}
	codeReserve = ratelimit.Rule{Name: "code by number, reserved", Limit: 3, Window: 24 * time.Hour}

	// Limits of a familiar browser, independent of others behind the same address.
	lookupDevice  = ratelimit.Rule{Name: "known by number and device", Limit: 30, Window: 15 * time.Minute}
	loginDevice   = ratelimit.Rule{Name: "login by number and device", Limit: 5, Window: 5 * time.Minute}
	codeDevice    = ratelimit.Rule{Name: "code by number and device", Limit: 5, Window: time.Hour}
	codeDeviceDay = ratelimit.Rule{Name: "code by number and device, daily", Limit: 15, Window: 24 * time.Hour}

	passwordChange = ratelimit.Rule{Name: "password change", Limit: 5, Window: 5 * time.Minute}
)

// Origin is where a request comes from.
type Origin struct {
	// Address is the network address.
	Address string
	// Device identifies the browser by a secret that only the browser has; empty if
	// it has none.
	Device string
	// Session identifies the browser session, to which the SMS code of a login is
	// bound.
	Session string
}

// familiarFor is how long an address or a browser stays familiar after a login.
const familiarFor = 90 * 24 * time.Hour

// familiarity has the results of the question whether the holder of a number has
// logged in before in the same browser (device), or from the same address.
type familiarity struct {
	device, address bool
	// known reports whether the browser is known; see Browser.
	known bool
}

// familiarityOf returns the familiarity of an origin for a holder (nil: none).
func (cs *Customers) familiarityOf(ctx context.Context, holder *Record, from Origin) (known familiarity, err error) {
	if holder == nil {
		return familiarity{}, nil
	}
	addresses := cs.hashes(familiarAddress, holder.ID, from.Address)
	var devices, knowns []string
	if from.Device != "" {
		devices, knowns = cs.hashes(familiarDevice, holder.ID, from.Device), cs.hashes(knownDevice, holder.ID, from.Device)
	}
	seen, err := cs.seenOrigins(ctx, holder.ID, slices.Concat(addresses, devices, knowns), cs.o.Now().Add(-familiarFor))
	for _, hash := range seen {
		known.device = known.device || slices.Contains(devices, hash)
		known.address = known.address || slices.Contains(addresses, hash)
		known.known = known.known || slices.Contains(knowns, hash)
	}
	return known, err
}

// limitLookup counts a lookup of a number; holder is the number's holder (nil: none).
func (cs *Customers) limitLookup(ctx context.Context, number phone.Number, holder *Record, from Origin) error {
	known, err := cs.familiarityOf(ctx, holder, from)
	switch {
	case err != nil:
		return err
	case known.device:
		//mutant:replace return cs.o.Counters.Take(ctx, lookupDevice, number.String()+" "+from.Device) => break ./web TestKnownBrowserIsNotLimitedByItsAddress
		return cs.o.Counters.Take(ctx, lookupDevice, number.String()+" "+from.Device)
	}
	return cs.o.Counters.Take(ctx, lookupAddress, ratelimit.Address(from.Address))
}

// limitCode counts an SMS code before it is sent.
func (cs *Customers) limitCode(ctx context.Context, number phone.Number, from Origin) error {
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return fault.Wrap("customer.code", err)
	}
	known, err := cs.familiarityOf(ctx, holder, from)
	if err != nil {
		return fault.Wrap("customer.code", err)
	}
	if known.device {
		return cs.takeAll(ctx, number.String()+" "+from.Device, codeDevice, codeDeviceDay)
	}
	if err := cs.o.Counters.Take(ctx, codeAddress, ratelimit.Address(from.Address)); err != nil {
		return err
	}
	//mutant:drop TestCodesPerHourAreLimited
	if err := cs.takeAll(ctx, numberAndAddress(number, from.Address), codeNumberAddress, codeNumberAddressDay); err != nil {
		return err
	}
	if known.address {
		return nil
	}
	if err := cs.limitUnfamiliar(ctx, number, from); err != nil {
		return cs.refused(ctx, byNumber, "", err)
	}
	//mutant:replace cs.takeBudget(ctx, from) => nil TestCodeBudget
	return cs.takeBudget(ctx, from) // of SMS codes for unfamiliar origins
}

// limitUnfamiliar counts a code by number for an unfamiliar origin, and by the
// reserve if the number is exhausted.
func (cs *Customers) limitUnfamiliar(ctx context.Context, number phone.Number, from Origin) error {
	// Counted for every code, so that a network that exceeds the limit gets none of
	// the reserve.
	networkExceeded := cs.o.Counters.Take(ctx, codeNetwork, number.String()+" "+ratelimit.Network(from.Address))
	if networkExceeded != nil && !fault.Is(networkExceeded, fault.TooMany) {
		return networkExceeded
	}
	//mutant:replace , codeNumberDay => TestCodesPerDayAreLimited
	err := cs.takeAll(ctx, number.String(), codeNumber, codeNumberDay)
	//mutant:replace networkExceeded != nil || !fault.Is(err, fault.TooMany) => true ./web TestCodesAreReservedForOtherNetworks
	//mutant:replace networkExceeded != nil || => ./web TestCodesAreReservedForOtherNetworks
	if networkExceeded != nil || !fault.Is(err, fault.TooMany) {
		return err
	}
	return cs.o.Counters.Take(ctx, codeReserve, number.String())
}

// takeAll counts one attempt of subject under each rule until one is exceeded.
func (cs *Customers) takeAll(ctx context.Context, subject string, rules ...ratelimit.Rule) error {
	for _, rule := range rules {
		if err := cs.o.Counters.Take(ctx, rule, subject); err != nil {
			return err
		}
	}
	return nil
}

// limitLogin counts an attempt at a password before it is compared.
func (cs *Customers) limitLogin(ctx context.Context, number phone.Number, from Origin, known familiarity) error {
	//mutant:drop TestFamiliarBrowserIsNotLockedOut
	if known.device {
		//mutant:replace cs.o.Counters.Take(ctx, loginDevice, number.String()+" "+from.Device) => nil TestFamiliarBrowserIsNotLockedOut
		return cs.o.Counters.Take(ctx, loginDevice, number.String()+" "+from.Device)
	}
	address := from.Address
	//mutant:drop TestLoginLimitByAddress
	if err := cs.o.Counters.Take(ctx, loginAddress, ratelimit.Address(address)); err != nil {
		return err
	}
	//mutant:drop TestLoginLimitByNumberAndAddress
	if err := cs.o.Counters.Take(ctx, loginNumberAddress, numberAndAddress(number, address)); err != nil {
		return err
	}
	//mutant:drop TestFamiliarAddressIsNotLockedOut
	if known.address {
		return nil
	}
	//mutant:replace cs.o.Counters.Take(ctx, loginNumber, number.String()) => nil TestResetOpensALockedNumber
	return cs.o.Counters.Take(ctx, loginNumber, number.String())
}

// resetLogin resets the counters after a right password. The counter of the address
// stays: one right password does not excuse guesses for other numbers.
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
