package portal

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/templates/component"
	"elsom/web/session"
)

// unsentForm is the session key of the values of a payment or transfer form that
// was not accepted because its session had ended, its token was stale, or the wallet
// had too little money. They fill the form when it is opened again. The key is an old
// word because sessions of running browsers contain it.
const unsentForm = "late"

// maxUnsent bounds the stored values, in bytes.
const maxUnsent = 200

func (p *Portal) storeUnsent(c echo.Context) {
	if values := p.unsentValues(c); values != "" && holder(c).ID != 0 {
		session.Of(c).Set(unsentForm, values)
	}
}

// unsentValues returns the values of a posted payment or transfer form in one
// string; empty for other requests and for oversized values.
func (p *Portal) unsentValues(c echo.Context) string {
	var form, to string
	switch c.Path() {
	case "/pay/:service":
		form, to = c.Param("service"), c.FormValue("account")
	case transferPath:
		form, to = transferPath, c.FormValue("phone")
	}
	amount := c.FormValue("amount")
	if form == "" || c.Request().Method != http.MethodPost || len(to)+len(amount) > maxUnsent {
		return ""
	}
	return form + "\n" + strconv.FormatInt(p.services.Now().UnixMilli(), 10) + "\n" + to + "\n" + amount
}

// fillUnsent fills a form with the stored values and removes them. They are not
// used if something was paid with such a form since they were stored.
func fillUnsent(c echo.Context, form string, to, amount *component.Input, paidSince func(time.Time) (bool, error)) {
	parts := strings.SplitN(session.Of(c).Get(unsentForm), "\n", 4)
	if len(parts) < 4 || parts[0] != form {
		return
	}
	session.Of(c).Set(unsentForm, "")
	if at, err := strconv.ParseInt(parts[1], 10, 64); err == nil && nonePaid(time.UnixMilli(at), paidSince) {
		to.Value, amount.Value = parts[2], parts[3]
	}
}

// nonePaid reports whether nothing was paid since at. It is false if that can't be read.
func nonePaid(at time.Time, paidSince func(time.Time) (bool, error)) bool {
	paid, err := paidSince(at)
	//mutant:replace !paid => (!paid || true) ./web TestFormIsEmptyAfterPaying
	return err == nil && !paid
}
