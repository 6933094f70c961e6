package page

import (
	"elsom/templates/component"
	"elsom/templates/layout"
)

func fail(frame *layout.Frame, message string, field string, inputs map[string]*component.Input) {
	if in, ok := inputs[field]; ok {
		if in.Error == "" {
			in.Error = message
		}
		return
	}
	if frame.Problem == "" {
		frame.Problem = message
	}
}

// Fail implements Form.
func (p *PhonePage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"phone": &p.Phone})
}

// Fail implements Form.
func (p *LoginPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"password": &p.Password})
}

// Fail implements Form.
func (p *SignupPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{
		"email": &p.Email, "password": &p.Password, "offer": &p.Offer,
	})
}

// Fail implements Form.
func (p *ConfirmPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"code": &p.Code})
}

// Fail implements Form.
func (p *ResetPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"phone": &p.Phone})
}

// Fail implements Form.
func (p *ResetConfirmPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"code": &p.Code, "password": &p.Password})
}

// Fail implements Form.
func (p *PayPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"account": &p.Account, "amount": &p.Amount})
}

// Fail implements Form.
func (p *SettingsPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{
		"old_password": &p.OldPassword, "password": &p.Password, "end_password": &p.EndPassword,
	})
}

// Fail implements Form.
func (p *CheckPage) Fail(field, message string) {
	if !p.AskPIN {
		field = ""
	}
	fail(&p.Frame, message, field, map[string]*component.Input{"pin": &p.PIN})
}

// Fail implements Form.
func (p *PINPage) Fail(field, message string) {
	inputs := map[string]*component.Input{"old_pin": &p.OldPIN, "pin": &p.PIN}
	switch p.State {
	case NoPIN:
		inputs = map[string]*component.Input{"password": &p.Password, "pin": &p.PIN}
	case LockedPIN:
		inputs = map[string]*component.Input{"password": &p.Password}
	case ClosedPIN, ExpiredPIN:
		inputs = nil
	}
	fail(&p.Frame, message, field, inputs)
}

// Fail implements Form.
func (p *UnlockPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"code": &p.Code})
}
