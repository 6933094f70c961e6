package osmp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"elsom/internal/biller"
	"elsom/internal/money"
)

// Errors for bodies that are not the agreed XML. They never quote the body, because
// a biller may repeat the account in it.
var (
	errCharset   = errors.New("the reply's charset is unknown or broken")
	errDoctype   = errors.New("the reply has a DOCTYPE")
	errMalformed = errors.New("the reply is not well-formed XML")
	errDeep      = errors.New("the reply is nested too deeply")
	errRoot      = errors.New("the reply is not a <response>")
	errTwice     = errors.New("the reply has an element twice")
	errResult    = errors.New("the reply has no readable result")
	errNotOurID  = errors.New("the reply has another txn_id")
	errNotOurSum = errors.New("the reply has another sum")
)

// maxDepth is one more than the protocol needs: response, fields, field1.
const maxDepth = 4

// reply is the content of the XML, not yet compared with the request.
type reply struct {
	ids       []string // osmp_txn_id and Pay24's txn_id, those that are not empty
	sum       string
	result    int
	reference string
	comment   string
	name      string
}

// parse parses a whole body.
func parse(body []byte, contentType string) (reply, error) {
	text, err := toUTF8(body, contentType)
	if err != nil {
		return reply{}, err
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded above
	p := parser{decoder: d, seen: map[string]bool{}}
	if err := p.document(); err != nil {
		return reply{}, err
	}
	if !p.seen["result"] {
		return reply{}, errResult
	}
	return p.reply, nil
}

// parser reads tokens, because xml.Unmarshal would accept repeated elements, a
// second root or a DOCTYPE.
type parser struct {
	decoder *xml.Decoder
	reply   reply
	seen    map[string]bool
}

func (p *parser) document() error {
	rooted := false
	for {
		token, err := p.decoder.Token()
		if errors.Is(err, io.EOF) && rooted {
			return nil
		}
		if err != nil {
			return errMalformed
		}
		switch t := token.(type) {
		//mutant:drop TestDoctypeIsRefused
		case xml.Directive:
			return errDoctype
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errRoot
			}
		case xml.StartElement:
			if rooted || t.Name.Local != "response" {
				return errRoot
			}
			rooted = true
			if err := p.response(); err != nil {
				return err
			}
		}
	}
}

func (p *parser) response() error {
	for {
		token, err := p.decoder.Token()
		if err != nil {
			return errMalformed
		}
		switch t := token.(type) {
		//mutant:drop TestDoctypeIsRefused
		case xml.Directive:
			return errDoctype
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if err := p.child(t); err != nil {
				return err
			}
		}
	}
}

// child reads one element of the response. Unknown elements are skipped; known ones
// may occur once.
func (p *parser) child(start xml.StartElement) error {
	name := start.Name.Local
	switch name {
	case "osmp_txn_id", "txn_id", "sum", "result", "prv_txn", "comment", "fields":
		//mutant:drop TestBadReplies
		if p.seen[name] {
			return errTwice
		}
		p.seen[name] = true
	}
	if name == "fields" {
		return p.fields()
	}
	text, err := p.text(2)
	if err != nil {
		return err
	}
	switch name {
	case "osmp_txn_id", "txn_id":
		if id := strings.TrimSpace(text); id != "" {
			p.reply.ids = append(p.reply.ids, id)
		}
	case "sum":
		p.reply.sum = strings.TrimSpace(text)
	case "result":
		return p.result(strings.TrimSpace(text))
	case "prv_txn":
		p.reply.reference = clean(text, biller.ReferenceLength)
	case "comment":
		p.reply.comment = clean(text, biller.CommentLength)
	}
	return nil
}

// result accepts only numbers as the protocol writes them: no sign, no leading
// zeros.
func (p *parser) result(text string) error {
	if !digits(text) || len(text) > 6 || (len(text) > 1 && text[0] == '0') {
		return errResult
	}
	for _, d := range text {
		p.reply.result = p.reply.result*10 + int(d-'0')
	}
	return nil
}

// fields sets the reply's name to the first field with a name of nameWords.
func (p *parser) fields() error {
	for {
		token, err := p.decoder.Token()
		if err != nil {
			return errMalformed
		}
		switch t := token.(type) {
		//mutant:drop TestDoctypeIsRefused
		case xml.Directive:
			return errDoctype
		case xml.EndElement:
			return nil
		case xml.StartElement:
			text, err := p.text(3)
			if err != nil {
				return err
			}
			if p.reply.name == "" && nameLike(t) {
				p.reply.name = clean(text, biller.NameLength)
			}
		}
	}
}

// text returns an element's own text and skips elements inside it. depth is the
// depth of the element; the root has depth 1.
func (p *parser) text(depth int) (string, error) {
	var b strings.Builder
	own := depth
	for {
		token, err := p.decoder.Token()
		if err != nil {
			return "", errMalformed
		}
		switch t := token.(type) {
		//mutant:drop TestDoctypeIsRefused
		case xml.Directive:
			return "", errDoctype
		case xml.CharData:
			if depth == own {
				b.Write(t)
			}
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return "", errDeep
			}
		case xml.EndElement:
			if depth--; depth < own {
				return b.String(), nil
			}
		}
	}
}

// nameWords are the field names under which billers return the payee.
var nameWords = map[string]bool{
	"fio": true, "фио": true, "name": true, "full_name": true, "fullname": true, "имя": true,
	"payer": true, "payer_name": true, "client": true, "client_name": true, "клиент": true,
	"customer": true, "customer_name": true, "subscriber": true, "abonent": true, "абонент": true,
	"company": true, "company_name": true, "org_name": true, "organization": true,
	"организация": true, "наименование": true, "плательщик": true,
}

func nameLike(start xml.StartElement) bool {
	for _, a := range start.Attr {
		if a.Name.Local == "name" {
			word := strings.ToLower(strings.TrimSpace(a.Value))
			return nameWords[strings.NewReplacer(" ", "_", "-", "_").Replace(word)]
		}
	}
	return false
}

// answers returns an error if the reply has the id or sum of another request. A
// reply without them is accepted, because connections are not reused then.
func (r reply) answers(request biller.Request) error {
	for _, id := range r.ids {
		if id != request.TxnID {
			return errNotOurID
		}
	}
	if r.sum != "" && !sameSum(r.sum, request.Sum) {
		return errNotOurSum
	}
	return nil
}

// sameSum compares by value: 250.5, 250,50 and 250.5000 equal 250.50.
func sameSum(text string, sum money.Amount) bool {
	whole, frac, _ := strings.Cut(strings.Replace(text, ",", ".", 1), ".")
	for len(frac) > 2 && strings.HasSuffix(frac, "0") {
		frac = frac[:len(frac)-1]
	}
	if !digits(whole) || (frac != "" && !digits(frac)) {
		return false
	}
	if frac != "" {
		whole += "." + frac
	}
	got, err := money.Parse(whole)
	return err == nil && got == sum
}

// clean returns one line of at most n characters, without control and invisible
// formatting characters (an override could reverse the display of a name).
func clean(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > n {
		text = strings.TrimSpace(string(runes[:n]))
	}
	return text
}

var declared = regexp.MustCompile(`^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// toUTF8 decodes the body by its byte order mark, else by its XML declaration, else
// by the Content-Type; else it must be UTF-8.
func toUTF8(body []byte, contentType string) ([]byte, error) {
	decoder, name, rest := encoding.Encoding(nil), "", body
	switch {
	case bytes.HasPrefix(body, []byte{0xef, 0xbb, 0xbf}):
		rest = body[3:]
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}):
		name = "utf-16le"
		rest = body[2:]
	case bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		name = "utf-16be"
		rest = body[2:]
	default:
		if m := declared.FindSubmatch(body[:min(len(body), 256)]); m != nil {
			name = string(m[1])
		} else if _, params, err := mime.ParseMediaType(contentType); err == nil {
			name = params["charset"]
		}
	}
	if name != "" {
		found, err := htmlindex.Get(name)
		if err != nil {
			return nil, errCharset
		}
		if known, err := htmlindex.Name(found); err != nil || known != "utf-8" {
			decoder = found
		}
	}
	if decoder == nil {
		if !utf8.Valid(rest) {
			return nil, errCharset
		}
		return rest, nil
	}
	text, err := decoder.NewDecoder().Bytes(rest)
	if err != nil {
		return nil, errCharset
	}
	return text, nil
}
