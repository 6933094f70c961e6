package customer

import (
	"context"
	"fmt"
	"strconv"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
)

// CodeNeeded is the reason of a refusal of LogIn after a right password: many attempts
// at the number have failed today, so that an unfamiliar browser needs an SMS code
// too. It has been sent.
const CodeNeeded fault.Reason = "customer.login_code"

// noticedFailures is the number of failed logins of a day after which the holder gets
// an SMS.
const noticedFailures = 10

// wrongPassword counts a failed login and returns its error. The holder of the number
// (an empty record: none) gets an SMS after noticedFailures.
func (cs *Customers) wrongPassword(ctx context.Context, op string, number phone.Number, holder *Record) error {
	failures, err := cs.o.Counters.Count(ctx, loginFailures, number.String())
	if err != nil {
		return err
	}
	//mutant:replace failures == noticedFailures => failures < 0 ./web TestManyFailuresRequireACode
	if failures == noticedFailures && holder.PasswordHash != "" {
		err := cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			return sms.Add(ctx, tx, cs.loginNotice(tx, holder, "sms.login_failures"))
		})
		if err != nil {
			return fault.Wrap(op, err)
		}
	}
	return fault.New(fault.Invalid, op, "customer.password_wrong").At("password")
}

func (cs *Customers) loginNotice(tx *database.Tx, holder *Record, text string) sms.Outgoing {
	return sms.OutboxMessage(fmt.Sprintf("customer:login:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: text, Args: map[string]any{"At": formatTime(cs.o.Now())},
	})
}

// checkLoginCode sends an SMS code and returns Forbidden with CodeNeeded if a login
// with the right password needs one.
func (cs *Customers) checkLoginCode(ctx context.Context, op string, number phone.Number, holder *Record, k familiarity, from Origin) error {
	//mutant:replace k.device => true ./web TestManyFailuresRequireACode
	if k.device {
		return nil
	}
	failures, err := cs.o.Counters.Counted(ctx, loginFailures, number.String())
	//mutant:replace failures < loginFailures.Limit => failures >= 0 ./web TestManyFailuresRequireACode
	if err != nil || failures < loginFailures.Limit {
		return err
	}
	c, o := loginOperation(holder, from)
	if err := cs.startOperation(ctx, c, o, from); err != nil {
		return err
	}
	return fault.New(fault.Forbidden, op, CodeNeeded)
}

// loginOperation returns the operation of a login. Its code is worthless after the
// password was changed or all sessions were ended.
func loginOperation(holder *Record, from Origin) (Customer, Operation) {
	c := holder.Customer()
	c.Browser.Session = from.Session
	return c, Operation{
		Key: "login:" + strconv.FormatInt(holder.ID, 10), Text: "sms.login_code",
		Bound: []string{holder.PasswordHash, strconv.FormatInt(holder.SessionEpoch, 10)},
	}
}

// ResendLogin sends another code of a login; see ResendOperation.
func (cs *Customers) ResendLogin(ctx context.Context, number phone.Number, from Origin) error {
	const op = "customer.login.resend"
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil {
		return noCode(op)
	}
	c, o := loginOperation(holder, from)
	return cs.ResendOperation(ctx, c, o, from)
}

// AwaitsLogin reports whether the session awaits the code of a login with the number.
func (cs *Customers) AwaitsLogin(ctx context.Context, number phone.Number, from Origin) (bool, error) {
	holder, err := cs.readByPhone(ctx, number)
	if err != nil || holder == nil {
		return false, fault.Wrap("customer.login.awaits", err)
	}
	c, o := loginOperation(holder, from)
	return cs.AwaitsCode(ctx, c.Browser.Session, o.Key)
}

// ConfirmLogin completes a login that LogIn refused with CodeNeeded in this session.
//
// Errors: Invalid at code; TooMany; NotFound if the session awaits no code; Forbidden
// if the wallet is blocked.
func (cs *Customers) ConfirmLogin(ctx context.Context, number phone.Number, code string, from Origin) (c Customer, failure error) {
	const op = "customer.login.confirm"
	defer func() { cs.record(ctx, securitylog.Login, subject{number, c.ID}, "code", failure) }()
	holder, err := cs.readByPhone(ctx, number)
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	if holder == nil {
		return Customer{}, noCode(op)
	}
	if err := cs.checkLogin(ctx, holder); err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	if holder.Blocked {
		return Customer{}, fault.New(fault.Forbidden, op, "customer.blocked")
	}
	k, err := cs.familiarityOf(ctx, holder, from)
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	signing, o := loginOperation(holder, from)
	row, err := cs.verifyOperationCode(ctx, op, signing, o, code)
	if err != nil {
		return Customer{}, err
	}
	spent := false
	err = cs.enter(ctx, op, number, holder, k, from, func(tx *database.Tx) (err error) {
		spent, err = useOperationCode(tx, row, cs.o.Now())
		if err == nil && !spent {
			err = noCode(op)
		}
		return err
	})
	if err != nil {
		return Customer{}, err
	}
	c = holder.Customer()
	c.Browser.Known = k.known
	return c, nil
}

// enter resets the counters after a proved login, makes browser and address familiar,
// and sends the holder a message about a new browser. first runs first in the transaction.
func (cs *Customers) enter(ctx context.Context, op string, number phone.Number, holder *Record, k familiarity, from Origin,
	first func(tx *database.Tx) error,
) error {
	if err := cs.resetLogin(ctx, number, from); err != nil {
		return err
	}
	tell := false
	if !k.device {
		switch err := cs.o.Counters.Take(ctx, newBrowserNotice, strconv.FormatInt(holder.ID, 10)); {
		case err == nil:
			tell = true
		case !fault.Is(err, fault.TooMany):
			return err
		}
	}
	return fault.Wrap(op, cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		if err := cs.markFamiliar(tx, holder.ID, from, cs.o.Now()); err != nil {
			return err
		}
		//mutant:replace !tell => !tell || tell ./web TestNewBrowserIsTold
		if !tell {
			return nil
		}
		if err := sms.Add(ctx, tx, cs.loginNotice(tx, holder, "sms.new_browser")); err != nil {
			return err
		}
		//mutant:replace cs.addSecurityMail(ctx, tx, holder, newBrowserMail) => nil TestSecurityMails
		return cs.addSecurityMail(ctx, tx, holder, newBrowserMail)
	}))
}
