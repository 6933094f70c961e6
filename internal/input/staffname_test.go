package input

import (
	"strings"
	"testing"
)

func TestStaffName(t *testing.T) {
	for typed, want := range map[string]string{
		"Айгүл": "Айгүл", " aida \t b. ": "aida b.", "Ａｉｄａ": "Aida", "Сергеи\u0306": "Сергей", "O'Neil": "O'Neil", "svc_backup-2": "svc_backup-2",
		"Өмүр Ңаңов": "Өмүр Ңаңов", "Ivan\u00a0P": "Ivan P", "ﬁona": "fiona", strings.Repeat("ы", 60): strings.Repeat("ы", 60), `ELSOM\aida`: `ELSOM\aida`,
	} {
		if got, err := StaffName(typed); err != nil || got != want {
			t.Errorf("StaffName(%+q) = %+q, %v", typed, got, err)
		}
	}
}

func TestStaffNameIsRefused(t *testing.T) {
	names := []string{
		"", " ", "іvan", "Воb", "Aсанов", "Айгүл Smith", "αιδα", "7", "a\xff", "a\x00b", "a\x1b[31m", "愛田", "ᴀida", "ɑida", "ai\u0335da", "a|b", strings.Repeat("ы", 61),
	}
	for _, mark := range invisible {
		names = append(names, "ai"+mark+"da", mark+"aida")
	}
	for _, typed := range names {
		if got, err := StaffName(typed); err == nil || got != "" {
			t.Errorf("StaffName(%+q) = %+q, %v", typed, got, err)
		}
	}
}

func TestSamePerson(t *testing.T) {
	for _, pair := range [][2]string{
		{"aida", "Aida"}, {"Айгүл", "АЙГҮЛ"}, {"оса", "oca"}, {"Bob", "Воb"}, {"ivan", "іvan"}, {"Ivan", "lvan"}, {"ВОВ", "bob"},
		{"A. Aida", "aaida"}, {"Ａｉｄａ", "aida"}, {"José", "jose"}, {"Сергей", "Сергеи\u0306"}, {"Семён", "Семен"}, {"Straße", "STRASSE"},
		{"Өмүр", "Омур"}, {"marnie", "rnarnie"}, {"ai\u200bda", "aida"}, {"b0b", "bob"}, {"Нота", "HOTA"},
		{"Асанов Бакыт", "Бакыт Асанов"}, {"Asanov Bakyt Usenovich", "usenovich asanov bakyt"}, {"bakyt.asanov", "asanov_bakyt"}, {"O'Neil Ann", "ann O'NEIL"},
		{"Семён Й.", "й. семен"}, {"Wanda", "vvanda"}, {"Adam", "aclam"}, {"Ыман", "Ьlман"},
	} {
		if !SamePerson(pair[0], pair[1]) {
			t.Errorf("%+q and %+q are two people", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"aida", "aidar"}, {"Айгүл", "Айбек"}, {"ivan", "иван"}, {"Asan", "Usen"}, {"бакыт", "бектур"},
		{"Алина", "Лиана"}, {"Асанов Бакыт", "Асанов Бектур"}, {"Асанов Бакыт", "Бакыт"}, {"Бакыт Асанов", "Асанов"}} {
		if SamePerson(pair[0], pair[1]) {
			t.Errorf("%q and %q are one person", pair[0], pair[1])
		}
	}
}
