package biller

import "testing"

func TestOutcomeOfEveryResult(t *testing.T) {
	want := map[int]Outcome{
		ResultDone: Good,
		4:          Refused, 5: Refused, 7: Refused, 8: Refused, 79: Refused, 241: Refused, 242: Refused, 300: Refused,
		1: Later, 90: Later,
	}
	for result := -2; result <= 1000; result++ {
		if got := OutcomeOf(result); got != want[result] {
			t.Errorf("OutcomeOf(%d) = %s, want %s", result, got, want[result])
		}
	}
}

func TestZeroOutcomeIsUnknown(t *testing.T) {
	var a Answer
	if a.Outcome != Unknown {
		t.Errorf("the zero answer is %s", a.Outcome)
	}
}

func TestOutcomeNames(t *testing.T) {
	for o, want := range map[Outcome]string{Unknown: "unknown", Good: "good", Refused: "refused", Later: "later", Unsent: "unsent", 9: "outcome 9", -1: "outcome -1"} {
		if o.String() != want {
			t.Errorf("%d is %q, want %q", int(o), o.String(), want)
		}
	}
}
