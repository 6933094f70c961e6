package session

import (
	"maps"
	"strings"

	"github.com/gorilla/sessions"

	"elsom/internal/customer"
)

func texts(g *sessions.Session) map[string]string {
	values := map[string]string{}
	for name, value := range g.Values {
		if name, ok := name.(string); ok {
			values[name], _ = value.(string)
		}
	}
	return values
}

// valuesFor returns the values that SetFor stored for this customer.
func valuesFor(g *sessions.Session, holder *customer.Customer) map[string]string {
	values := map[string]string{}
	if holder == nil {
		return values
	}
	for name, value := range texts(g) {
		//mutant:replace nameFor(holder.ID, "") => name[:max(0, strings.LastIndex(name, " ")+1)] ./web TestUnsentFormIsForItsCustomer
		if name, ours := strings.CutPrefix(name, nameFor(holder.ID, "")); ours {
			values[name] = value
		}
	}
	return values
}

func applied(data, changes map[string]string) map[string]string {
	merged := map[string]string{}
	maps.Copy(merged, data)
	for name, value := range changes {
		if value == "" {
			delete(merged, name)
		} else {
			merged[name] = value
		}
	}
	return merged
}
