package ussd_test

import (
	"regexp"
	"strings"
	"testing"

	"elsom/internal/testkit/require"
)

// script plays a session: each line is an input and the screen that must answer it,
// in which "…" matches any text. <PIN> is the PIN of the newest SMS.
func (h *fixture) script(t *testing.T, c *phoneCall, lines string) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		input, want, found := strings.Cut(strings.TrimSpace(line), " → ")
		if !found {
			t.Fatalf("not a line of a script: %s", line)
		}
		if strings.Contains(input, "<PIN>") {
			input = strings.ReplaceAll(input, "<PIN>", h.pin(c.number))
		}
		got := c.screen
		if input != "*900#" {
			got = c.press(input)
		}
		shape := "^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$"
		if !regexp.MustCompile(shape).MatchString(got) {
			t.Fatalf("%s → %s\n    want %s", input, got, want)
		}
	}
}

// The steps of section 1, registration, of the users' instruction.
func TestRegistration(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		for lang, lines := range map[string]string{
			"ru": `
				*900# → CON Тил / Язык / Language / 1 Кыргызча / 2 Русский / 3 English
				2 → CON Регистрация кошелька ЭЛСОМ / 1 Подтвердить / 0 Назад
				1 → CON Введите имя и фамилию: / 0 Назад
				Бакыт Асанов → CON Введите личный ИНН из ID-карты: / 0 Назад
				21503198500123 → CON Бакыт Асанов / ИНН 21503198500123 / 1 Верно / 0 Назад
				1 → CON Прочтите публичную оферту на elsom.kg / 1 Принимаю / 0 Назад
				1 → END Кошелёк открыт. ПИН придёт в СМС. Смените его: *900#, 8, 3.`,
			"ky": `
				*900# → CON Тил / Язык / Language / 1 Кыргызча / 2 Русский / 3 English
				1 → CON ЭЛСОМ капчыгын каттоо / 1 Ырастоо / 0 Артка
				1 → CON Атыңызды жана фамилияңызды жазыңыз: / 0 Артка
				Бакыт Асанов → CON ID-картадагы жеке ИНН жазыңыз: / 0 Артка
				21503198500123 → CON Бакыт Асанов / ИНН 21503198500123 / 1 Туура / 0 Артка
				1 → CON Айкын офертаны elsom.kg сайтынан окуңуз / 1 Кабыл алам / 0 Артка
				1 → END Капчык ачылды. ПИН СМС менен келет. Аны алмаштырыңыз: *900#, 8, 3.`,
		} {
			number := h.number()
			h.script(t, h.dial(number), lines)
			c, err := h.Customers.ByPhone(t.Context(), number)
			require.NoError(t, err)
			if c.Name != "Бакыт Асанов" || c.Lang != lang || !c.HasPIN {
				t.Errorf("%+v", c)
			}
			// 1.8: the PIN of the SMS is changed.
			h.script(t, h.dial(number), map[string]string{
				"ru": `
					*900# → CON ЭЛСОМ / 1 Перевод на кошелёк / 3 Платежи/Комм.услуги / 8 Баланс/Настройки
					8 → CON 1 Баланс / 2 Язык / 3 Замена ПИН / 4 Последние операции / 5 ПИН в СМС / 0 Назад
					3 → CON Введите старый ПИН: / 0 Назад
					<PIN> → CON Новый ПИН, 4 цифры: / 0 Назад
					7391 → CON Новый ПИН ещё раз: / 0 Назад
					7391 → END ПИН изменён.`,
				"ky": `
					*900# → CON ЭЛСОМ / 1 Капчыкка которуу / 3 Төлөмдөр/Комм.кызматтар / 8 Баланс/Жөндөөлөр
					8 → CON …1 Баланс / 2 Тил / 3 ПИН алмаштыруу / 4 Акыркы операциялар / 5 ПИНди СМС менен / 0 Артка
					3 → CON Эски ПИН жазыңыз: / 0 Артка
					<PIN> → CON Жаңы ПИН, 4 цифра: / 0 Артка
					7391 → CON Жаңы ПИН дагы бир жолу: / 0 Артка
					7391 → END ПИН алмаштырылды.`,
			}[lang])
		}
	})
}

// The steps of section 2, payment, of the users' instruction.
func TestPayment(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		for lang, lines := range map[string]string{
			"ru": `
				*900# → CON ЭЛСОМ / 1 Перевод на кошелёк / 3 Платежи/Комм.услуги / 8 Баланс/Настройки
				3 → CON Платежи/Комм.услуги / 3 Оплатить счёт / 0 Назад
				3 → CON Категория: / 14 Другие услуги / 0 Назад
				14 → CON Услуга: / 14 Достэк / 0 Назад
				14 → CON Достэк / ИНН компании, 14 цифр: / 0 Назад
				00207199610017 → CON Введите сумму (сом): / 0 Назад
				250,50 → CON ИНН 00207199610017 / ОсОО Ала-Тоо / 250,50 сом / Без комиссии / Введите ПИН: / 0 Назад
				<PIN> → END Платёж принят. Код …. Итог придёт в СМС.`,
			"ky": `
				*900# → CON ЭЛСОМ / 1 Капчыкка которуу / 3 Төлөмдөр/Комм.кызматтар / 8 Баланс/Жөндөөлөр
				3 → CON Төлөмдөр/Комм.кызматтар / 3 Эсепти төлөө / 0 Артка
				3 → CON Категориялар: / 14 Башка кызматтар / 0 Артка
				14 → CON Кызматтар: / 14 Достэк / 0 Артка
				14 → CON Достэк / Компаниянын ИНН, 14 цифра: / 0 Артка
				00207199610017 → CON Сумманы жазыңыз (сом): / 0 Артка
				250,50 → CON ИНН 00207199610017 / ОсОО Ала-Тоо / 250,50 сом / Комиссиясыз / ПИН жазыңыз: / 0 Артка
				<PIN> → END Төлөм кабыл алынды. Код …. Жыйынтыгы СМС менен келет.`,
		} {
			number := h.number()
			h.register(number, lang)
			h.fund(number, 100_000)
			call := h.dial(number)
			h.script(t, call, lines)
			code := regexp.MustCompile(`[0-9]{4} [0-9]{4} [0-9]{4}`).FindString(call.screen)
			h.sms(number, strings.ReplaceAll(code, " ", ".?"))
			if b := h.balance(number); b != 100_000-25_050 {
				t.Errorf("%s: the balance is %s", lang, b)
			}
		}
	})
}
