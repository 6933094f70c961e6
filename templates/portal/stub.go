package portal

import "github.com/a-h/templ"

// Page shows the page.
func (p PhonePage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p LoginPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p SignupPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p ConfirmPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p ResetPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p ResetConfirmPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p OfferPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p CabinetPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p OperationPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p HistoryPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p ServicesPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p CategoryPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p PayPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p CheckPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p ReceiptPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p FillPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p HelpPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p SettingsPage) Page() templ.Component { return templ.NopComponent }

// Page shows the page.
func (p ErrorPage) Page() templ.Component { return templ.NopComponent }
