package bench_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
	"elsom/templates/gallery"
)

// A peer is another server that the portal is compared with. It is this test program in
// a process of its own, so that the processor's use can be told apart.
var (
	peerListen   = flag.String("peer", "", "bench: serve as a peer on this address, and measure nothing")
	peerDatabase = flag.String("peer-database", "", "bench: the peer's database")
)

// servePeer serves until the process is killed.
func servePeer() {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.GET("/cabinet", bareCabinet(), middleware.Gzip())
	if *peerDatabase != "" {
		if err := naiveRoutes(e, *peerDatabase); err != nil {
			panic(err)
		}
	}
	panic(e.Start(*peerListen))
}

// bareCabinet renders the page of the cabinet with constant data: no session, nothing
// read.
func bareCabinet() echo.HandlerFunc {
	for _, s := range gallery.States() {
		if s.Name == "cabinet" {
			return func(c echo.Context) error {
				var out bytes.Buffer
				if err := s.Render(i18n.RU).Render(c.Request().Context(), &out); err != nil {
					return err
				}
				return c.HTMLBlob(http.StatusOK, out.Bytes())
			}
		}
	}
	panic("no page of the cabinet")
}

// peer starts a peer process, once for each name.
func (bdb *benchDB) peer(name string, flags ...string) *portal {
	b := bdb.m.b
	b.Helper()
	for _, p := range bdb.portals {
		if p.name == name {
			return p
		}
	}
	p := &portal{name: name, listen: system.FreeAddress(b)}
	program, err := os.Executable()
	require.NoError(b, err)
	p.Program = system.Launch(b, "peer", exec.Command(program, append([]string{"-peer=" + p.listen}, flags...)...))
	p.WaitHealthy(b, "http://"+p.listen)
	bdb.portals = append(bdb.portals, p)
	return p
}

// cabinetBare compares the cabinet with a bare page of Echo and templ.
func cabinetBare(m *runner) measured {
	bdb := m.open("http")
	p, bare := bdb.portal("http", m.server.silent()), bdb.peer("bare page")
	payers := m.server.payers
	yardstick := m.page("a bare page of Echo and templ", bdb, bare, "/cabinet", func(int) payer { return payers[0] })
	f := m.page("/cabinet", bdb, p, "/cabinet", func(n int) payer { return payers[n%len(payers)] })
	r := per(f, yardstick)
	r.details += fmt.Sprintf(" (%s, the bare one %s)", f.note, yardstick.note)
	return on(r, bdb)
}

// naive measures the same payments through a transaction of GORM for each, behind the
// same route of Echo.
func naive(m *runner) measured {
	yardstick := m.pgbench()
	bdb := m.open("http")
	f := m.measureOnce("a naive GORM transaction a payment", func() figure {
		first := m.naive == nil
		if first {
			m.server.tool("createdb", "naive")
			m.naive = newNaiveBooks(m.b, m.server.server.Address("naive"), m.server.payers)
		}
		p := bdb.peer("naive", "-peer-database="+m.naive.address)
		if first {
			m.naive.pay(bdb, load{callers: 32, lasting: m.lasting / 5}, p)
		}
		return m.naive.pay(bdb, load{callers: 32, lasting: m.lasting}, p)
	})
	r := per(f, yardstick)
	r.books = nil // they are not the product's
	return r
}

// pay runs a load of «Оплатить» on the naive server.
func (n *naiveBooks) pay(bdb *benchDB, l load, p *portal) figure {
	n.draw(int(4000 * l.lasting.Seconds()))
	connections := make([]connection, l.callers)
	for i := range connections {
		connections[i].host = p.listen
		defer connections[i].close()
	}
	l.do = func(caller int) outcome {
		d, ok := n.queue.next()
		if !ok {
			return over
		}
		r, err := connections[caller].post("/check/"+strconv.FormatInt(d.id, 10), d.of.headers, "csrf="+d.of.tok)
		if err != nil || r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/receipt/") {
			bdb.m.b.Errorf("the naive server answered %d %s, %v", r.status, r.location, err)
			return over
		}
		return done
	}
	return bdb.m.server.measureCPU(l.run, p)
}
