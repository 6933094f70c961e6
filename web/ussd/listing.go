package ussd

import (
	"context"
	"slices"

	"elsom/internal/catalog"
	"elsom/internal/fault"
)

// caller tells who dials.
func (t *exchange) caller(ctx context.Context) (Caller, error) {
	var c Caller
	carrier, err := t.Catalog.Carrier(ctx, t.number)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return c, err
	}
	if c.Lang = "ru"; !carrier.USSD {
		return c, nil
	}
	c.USSD = true
	holder, unused, err := t.Customers.Caller(ctx, t.number)
	if fault.Is(err, fault.NotFound) {
		closed, err := t.Customers.ClosedAt(ctx, t.number)
		c.Closed = !closed.IsZero()
		return c, err
	}
	if err != nil {
		return c, err
	}
	c.Customer, c.Lang, c.Blocked, c.HasPIN, c.Resend = holder.ID, holder.Lang, holder.Blocked, holder.HasPIN, unused
	return c, nil
}

// listing is what the catalogue offers at a step. What has no USSD number is not
// on it, nor a category without such a service.
func (d *Handler) listing(ctx context.Context, s State) (Listing, error) {
	var shelf Listing
	switch s.Step {
	case stepCategories:
		categories, err := d.Catalog.Categories(ctx)
		if err != nil {
			return shelf, err
		}
		services, err := d.Catalog.Services(ctx, "")
		if err != nil {
			return shelf, err
		}
		for _, c := range categories {
			inside := func(s catalog.Service) bool { return s.Category == c.Code && s.USSDNumber > 0 }
			if c.USSDNumber > 0 && slices.ContainsFunc(services, inside) {
				name := c.USSDName.In(s.Lang)
				if name == "" {
					name = c.Name.In(s.Lang)
				}
				shelf.Items = append(shelf.Items, Item{c.USSDNumber, c.Code, plain(name)})
			}
		}
	case stepServices:
		services, err := d.Catalog.Services(ctx, s.Category)
		if err != nil {
			return shelf, err
		}
		for _, one := range services {
			if one.USSDNumber > 0 {
				shelf.Items = append(shelf.Items, Item{one.USSDNumber, one.Code, nameOf(one, s.Lang)})
			}
		}
	case stepAccount:
		return d.accountField(ctx, s)
	}
	slices.SortFunc(shelf.Items, func(a, b Item) int { return a.Number - b.Number })
	return shelf, nil
}

// accountField is what is typed for a service. One that was taken away meanwhile takes
// nothing.
func (d *Handler) accountField(ctx context.Context, s State) (Listing, error) {
	service, err := d.Catalog.Service(ctx, s.Service)
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
