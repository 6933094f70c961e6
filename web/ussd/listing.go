package ussd

import (
	"context"
	"slices"

	"elsom/internal/catalog"
	"elsom/internal/fault"
)

// caller returns the caller's wallet as the first screen needs it.
func (e *exchange) caller(ctx context.Context) (Caller, error) {
	var c Caller
	carrier, err := e.catalog.Carrier(ctx, e.number)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return c, err
	}
	if c.Lang = "ru"; !carrier.USSD {
		return c, nil
	}
	c.USSD = true
	holder, unused, err := e.customers.Caller(ctx, e.number)
	if fault.Is(err, fault.NotFound) {
		closed, err := e.customers.ClosedAt(ctx, e.number)
		c.Closed = !closed.IsZero()
		return c, err
	}
	if err != nil {
		return c, err
	}
	c.Customer, c.Lang, c.Blocked, c.HasPIN, c.Resend = holder.ID, holder.Lang, holder.Blocked, holder.HasPIN, unused
	return c, nil
}

// listing returns the catalog's items at a step. Services without a USSD number and
// categories without such a service are left out.
func (h *Handler) listing(ctx context.Context, s State) (Listing, error) {
	var list Listing
	switch s.Step {
	case stepCategories:
		categories, err := h.catalog.Categories(ctx)
		if err != nil {
			return list, err
		}
		services, err := h.catalog.Services(ctx, "")
		if err != nil {
			return list, err
		}
		for _, c := range categories {
			inside := func(s catalog.Service) bool { return s.Category == c.Code && s.USSDNumber > 0 }
			if c.USSDNumber > 0 && slices.ContainsFunc(services, inside) {
				name := c.USSDName.In(s.Lang)
				if name == "" {
					name = c.Name.In(s.Lang)
				}
				list.Items = append(list.Items, Item{c.USSDNumber, c.Code, plain(name)})
			}
		}
	case stepServices:
		services, err := h.catalog.Services(ctx, s.Category)
		if err != nil {
			return list, err
		}
		for _, one := range services {
			if one.USSDNumber > 0 {
				list.Items = append(list.Items, Item{one.USSDNumber, one.Code, nameOf(one, s.Lang)})
			}
		}
	case stepAccount:
		return h.accountField(ctx, s)
	}
	slices.SortFunc(list.Items, func(a, b Item) int { return a.Number - b.Number })
	return list, nil
}

// accountField returns the field in which the account of a service is typed. The
// field of a service that is no longer in the catalog accepts nothing.
func (h *Handler) accountField(ctx context.Context, s State) (Listing, error) {
	service, err := h.catalog.Service(ctx, s.Service)
	if fault.Is(err, fault.NotFound) {
		gone := func(string) (string, error) { return "", fault.New(fault.Invalid, "ussd.account", "").At("account") }
		return Listing{Identify: gone}, nil
	}
	return Listing{
		Service: nameOf(service, s.Lang), Label: service.Label.In(s.Lang), INN: isINN(service), Identify: service.Identify,
	}, err
}

func isINN(s catalog.Service) bool { return s.Identifier == catalog.KindINN }

func nameOf(s catalog.Service, lang string) string {
	if name := s.USSDName.In(lang); name != "" {
		return plain(name)
	}
	return cut(plain(s.Name.In(lang)), 40)
}
