package portal

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/history"
	"elsom/internal/i18n"
	"elsom/templates/document"
	"elsom/templates/page"
	"elsom/web/session"
)

const (
	// exportsAtOnce is how many files a process makes at once, and one for a wallet.
	exportsAtOnce = 4
	// exportTime bounds the making of a file; less than the server's time to write.
	exportTime = 45 * time.Second

	exportBusy fault.Reason = "history.busy"
)

// exports bounds the files that are made at once.
type exports struct {
	mu   sync.Mutex
	busy map[int64]bool // by customer
}

// begin reports whether a file for a customer may be made now; end must follow then.
func (e *exports) begin(customer int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	//mutant:replace e.busy[customer] || => TestExportsAtOnce
	if e.busy[customer] || len(e.busy) >= exportsAtOnce {
		return false
	}
	if e.busy == nil {
		e.busy = map[int64]bool{}
	}
	e.busy[customer] = true
	return true
}

func (e *exports) end(customer int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.busy, customer)
}

// file makes a file for the customer and sends it, or returns why not.
func (p *Portal) file(c echo.Context, name, contentType string, write func(ctx context.Context, w io.Writer) error) error {
	owner := holder(c).ID
	if !p.exports.begin(owner) {
		return fault.New(fault.TooMany, "portal.export", exportBusy).After(10 * time.Second)
	}
	defer p.exports.end(owner)
	if err := session.Of(c).Save(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx(c), exportTime)
	defer cancel()
	c.Response().Header().Set(echo.HeaderContentType, contentType)
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	err := write(limited, c.Response())
	if err != nil && c.Response().Committed {
		panic(http.ErrAbortHandler) // the browser must not take the part for the whole
	}
	if err != nil {
		c.Response().Header().Del(echo.HeaderContentDisposition)
	}
	return err
}

// HistoryCSV sends what a filter selects as CSV.
func (p *Portal) HistoryCSV(c echo.Context) error {
	return p.export(c, "csv", "text/csv; charset=utf-8", document.NewCSV)
}

// HistoryXLSX sends what a filter selects as XLSX.
func (p *Portal) HistoryXLSX(c echo.Context) error {
	return p.export(c, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", document.NewXLSX)
}

// export sends the operations that a filter selects, newest first, as a table. A filter that
// can't be accepted is shown on its page.
func (p *Portal) export(c echo.Context, extension, contentType string, format func(io.Writer) (document.Table, error)) error {
	f, err := p.services.History.Parse(typedFilter(c))
	if err == nil {
		err = p.services.History.Exportable(ctx(c), holder(c).ID, f)
	}
	if err != nil {
		return p.refused(c, func() (form, error) { return p.historyPage(c) }, err)
	}
	agents, err := p.agentNamesOfAll(ctx(c))
	if err != nil {
		return err
	}
	name := "elsom-" + date(f.From) + "-" + date(f.Last()) + "." + extension
	return p.file(c, name, contentType, func(ctx context.Context, w io.Writer) error {
		table, err := format(w)
		if err != nil {
			return err
		}
		if err := table.Row(exportHead(lang(c))); err != nil {
			return err
		}
		n := 0
		err = p.services.History.Each(ctx, holder(c).ID, f, func(o history.Operation) error {
			if n++; n > history.MaxExported { // made meanwhile
				return nil
			}
			view, err := p.foundOne(ctx, c, o, agents)
			if err != nil {
				return err
			}
			return table.Row(exportRow(lang(c), o, view))
		})
		if err != nil {
			return err
		}
		return table.Close()
	})
}

// exportHead returns the titles of the columns.
func exportHead(l i18n.Lang) []document.Cell {
	return document.Text(l.T("history.col.at"), l.T("history.col.kind"), l.T("history.col.what"), l.T("history.col.who"),
		l.T("history.col.number"), l.T("portal.receipt.code"), l.T("history.col.sum"), l.T("portal.check.fee"), l.T("history.col.state"))
}

// exportRow returns the cells of an operation.
func exportRow(l i18n.Lang, o history.Operation, view page.Operation) []document.Cell {
	amount, fee := o.Amount, o.Fee
	row := document.Text("", l.T("portal.kind."+string(view.Kind)), view.Name, view.Party, view.Number, o.Code, "", "", l.T("portal.state."+string(view.Status)))
	row[0].At, row[6].Amount, row[7].Amount = o.At, &amount, &fee
	return row
}
