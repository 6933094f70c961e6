package main

import (
	"hash/fnv"
	"strings"

	"elsom/internal/inn"
)

// service is one biller with its own accounts and txn_ids.
type service struct {
	code, title string
	path        string // path of its OSMP provider
	wellFormed  func(account string) bool
	name        func(account string) string
}

// page returns the path of an account's page.
func (s service) page(account string) string {
	if s.code == dostek {
		return "/companies/" + account
	}
	return "/contracts/" + s.code + "/" + account
}

// displayed returns an account for display: an ИНН in groups.
func (s service) displayed(account string) string {
	if s.code == dostek {
		return inn.Group(account)
	}
	return account
}

// The codes of the services.
const (
	dostek = "dostek"
	hoster = "hoster"
	aknet  = "aknet"
)

var services = []service{
	{code: dostek, title: "DosTek group (СОчИ)", path: "/pay", wellFormed: isINN, name: companyName},
	{code: hoster, title: "Hoster.kg", path: "/pay/hoster", wellFormed: isContract, name: personName},
	{code: aknet, title: "Акнет", path: "/pay/aknet", wellFormed: isContract, name: personName},
}

func serviceByCode(code string) (service, bool) {
	for _, s := range services {
		if s.code == code {
			return s, true
		}
	}
	return service{}, false
}

// isINN reports whether account is exactly 14 digits.
func isINN(account string) bool {
	return len(account) == inn.Length && strings.Trim(account, "0123456789") == ""
}

// isContract reports whether account is 3 to 20 digits or Latin letters.
func isContract(account string) bool {
	for _, r := range account {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return len(account) >= 3 && len(account) <= 20
}

// Parts of invented names; they include Ң, Ө and Ү on purpose.
var (
	firstWords  = []string{"Ак", "Алтын", "Ала", "Жаңы", "Көк", "Түндүк", "Кызыл", "Эне", "Бек", "Нур", "Өзгөн", "Үмүт", "Чоң", "Сары", "Жашыл", "Кең"}
	secondWords = []string{"Суу", "Тоо", "Жол", "Булак", "Дарак", "Таш", "Өрөөн", "Көл", "Жылдыз", "Үй", "Талаа", "Арча", "Керме", "Аска", "Бел", "Түз"}
	lines       = []string{"Сервис", "Трейд", "Строй", "Логистик", "Фарм", "Агро", "Тур", "Софт"}
	surnames    = []string{"Асанова", "Бекова", "Жээнбаева", "Исакова", "Касымова", "Мамбетова", "Осмонова", "Садыкова", "Токтоева", "Үсөнова"}
	givenNames  = []string{"Айнура", "Бегимай", "Гүлназ", "Жылдыз", "Мээрим", "Нургүл", "Салтанат", "Чынара"}
)

// pick is a generator that is seeded by the account.
type pick uint32

func newPick(account string) *pick {
	h := fnv.New32a()
	_, _ = h.Write([]byte(account))
	p := pick(h.Sum32())
	return &p
}

func (p *pick) of(words []string) string {
	n := uint32(len(words))
	word := words[uint32(*p)%n]
	*p = pick(uint32(*p)/n*2654435761 + 1)
	return word
}

// companyName invents a company for an ИНН; a person's ИНН (first digit 1 or 2) is
// a sole trader.
func companyName(account string) string {
	p := newPick(account)
	if account[0] == '1' || account[0] == '2' {
		return "ИП " + p.of(surnames) + " " + p.of(givenNames)
	}
	return "ОсОО «" + p.of(firstWords) + "-" + p.of(secondWords) + " " + p.of(lines) + "»"
}

func personName(account string) string {
	p := newPick(account)
	return p.of(surnames) + " " + p.of(givenNames)
}
