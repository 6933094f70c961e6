package component

import (
	"strconv"
	"time"
	_ "time/tzdata" // for machines without zone files

	"elsom/internal/i18n"
)

var bishkek = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Bishkek")
	if err != nil {
		return time.FixedZone("UTC+6", 6*60*60)
	}
	return zone
}()

// Stamp formats a time in Bishkek: "22.11.2026, 21:15".
func Stamp(t time.Time) string { return t.In(bishkek).Format("02.01.2006, 15:04") }

// Local returns a time in Bishkek.
func Local(t time.Time) time.Time { return t.In(bishkek) }

// Date formats a date in Bishkek: "22.11.2026".
func Date(t time.Time) string { return t.In(bishkek).Format("02.01.2006") }

// Zone names the zone of Bishkek at a time.
func Zone(l i18n.Lang, t time.Time) string {
	return l.T("component.zone", i18n.Args{"Zone": offset(t)})
}

// Machine formats a time for the datetime attribute.
func Machine(t time.Time) string { return t.In(bishkek).Format(time.RFC3339) }

// Day formats a date in Bishkek: "22 ноября 2026".
func Day(l i18n.Lang, t time.Time) string {
	t = t.In(bishkek)
	month := l.T("component.month.m" + strconv.Itoa(int(t.Month())))
	return l.T("component.day", i18n.Args{"Day": t.Day(), "Month": month, "Year": t.Year()})
}

// offset returns the zone of Bishkek at that time: "UTC+6".
func offset(t time.Time) string {
	_, seconds := t.In(bishkek).Zone()
	return "UTC+" + strconv.Itoa(seconds/3600)
}
