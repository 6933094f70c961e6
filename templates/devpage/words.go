package devpage

import (
	"net/url"
	"strconv"
	"time"

	"elsom/internal/phone"
)

// Known reports whether there is a message for a result.
func Known(result int) bool {
	switch result {
	case 0, 1, 4, 5, 7, 79, 90, 241, 242, 300:
		return true
	}
	return false
}

// ResultKey returns the message key of a result.
func ResultKey(result int) string {
	if !Known(result) {
		return "dev.result.unknown"
	}
	return "dev.result.r" + strconv.Itoa(result)
}

func (p SlipPage) done() bool { return p.Status == 0 && p.Result == 0 }

// again reports that the result is not final: a terminal repeats the same request.
func (p SlipPage) again() bool {
	return p.Status != 0 || p.Result == 1 || p.Result == 90 || !Known(p.Result)
}

func (p SlipPage) tone() string {
	switch {
	case p.done():
		return "completed"
	case p.again():
		return "processing"
	}
	return "refunded"
}

func (p SlipPage) icon() string {
	switch {
	case p.done():
		return "circle-check"
	case p.again():
		return "hourglass"
	}
	return "circle-x"
}

func (p SlipPage) title() string {
	switch {
	case p.done():
		return p.T("dev.slip.done")
	case p.again():
		return p.T("dev.slip.again")
	}
	return p.T("dev.slip.refused")
}

func (p SlipPage) words() string {
	if p.Status != 0 {
		return p.T("dev.result.status", map[string]any{"Status": p.Status})
	}
	return p.T(ResultKey(p.Result))
}

func (p SlipPage) result() string {
	if p.Status != 0 {
		return "HTTP " + strconv.Itoa(p.Status)
	}
	return strconv.Itoa(p.Result)
}

// clock formats the terminal's time, YYYYMMDDHHMMSS, in readable form.
func clock(date string) string {
	t, err := time.Parse("20060102150405", date)
	if err != nil {
		return date
	}
	return t.Format("02.01.2006, 15:04:05")
}

func phoneHref(number string) string {
	if parsed, err := phone.Parse(number); err == nil {
		number = parsed.String()
	}
	return "/dev/phone?phone=" + url.QueryEscape(number)
}

func (p PhonePage) title() string {
	if p.Number == "" {
		return p.T("dev.phone.title")
	}
	return p.T("dev.phone.title") + ": " + p.Number
}
