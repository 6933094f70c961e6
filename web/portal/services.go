package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/i18n"
	"elsom/templates/page"
)

// maxQuery bounds a search, in bytes.
const maxQuery = 200

// searchedFor returns the text of a search, ?q=, cut to its bound.
func searchedFor(c echo.Context) string {
	query := strings.TrimSpace(c.QueryParam("q"))
	return strings.ToValidUTF8(query[:min(len(query), maxQuery)], "")
}

// Services shows the categories, or the results of a search.
func (p *Portal) Services(c echo.Context) error {
	view := page.ServicesPage{Frame: p.frame(c), Query: searchedFor(c)}
	categories, err := p.services.Catalog.Categories(ctx(c))
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, category := range categories {
		names[category.Code] = category.Name.In(string(lang(c)))
	}
	if view.Query != "" {
		found, err := p.services.Catalog.Search(ctx(c), view.Query)
		if err != nil {
			return err
		}
		view.Found = services(found, lang(c), names)
		return render(c, http.StatusOK, view)
	}
	for _, category := range categories {
		list, err := p.services.Catalog.Services(ctx(c), category.Code)
		if err != nil {
			return err
		}
		view.Categories = append(view.Categories, page.Category{
			Code: category.Code, Name: names[category.Code], Href: categoryHref(category.Code),
			Examples: examples(list, lang(c)),
		})
	}
	return render(c, http.StatusOK, view)
}

// Category lists the services of a category.
func (p *Portal) Category(c echo.Context) error {
	category, err := p.services.Catalog.Category(ctx(c), c.Param("category"))
	if err != nil {
		return err
	}
	list, err := p.services.Catalog.Services(ctx(c), category.Code)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, page.CategoryPage{
		Frame: p.frame(c), Name: category.Name.In(string(lang(c))), Services: services(list, lang(c), nil),
	})
}

func categoryHref(code string) string { return "/services/" + code }

func services(list []catalog.Service, lang i18n.Lang, categories map[string]string) []page.Service {
	pages := make([]page.Service, len(list))
	for i, s := range list {
		pages[i] = page.Service{
			Code: s.Code, Name: s.Name.In(string(lang)), Href: payHref(s.Code), Category: categories[s.Category],
		}
	}
	return pages
}

func examples(list []catalog.Service, lang i18n.Lang) string {
	var names []string
	for _, s := range list[:min(3, len(list))] {
		names = append(names, s.Name.In(string(lang)))
	}
	return strings.Join(names, ", ")
}
