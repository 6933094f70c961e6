package inbox_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/phone"
)

func TestInboxStoresMessagesOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, box := context.Background(), inbox.New(db)
		const mine, other = phone.Number("+996700123456"), phone.Number("+996550123456")
		for _, r := range []sms.Rendered{
			{Phone: mine, Text: "first", ID: "a"}, {Phone: other, Text: "other", ID: "b"},
			{Phone: mine, Text: "second", ID: "c"}, {Phone: mine, Text: "first", ID: "a"}, // sent again
		} {
			if err := box.Send(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		list, err := box.List(ctx, mine)
		if err != nil || len(list) != 2 || list[0].Text != "second" || list[1].Text != "first" {
			t.Fatalf("list %+v, %v", list, err)
		}
		encoded, err := json.Marshal(list[0])
		if err != nil || !strings.HasPrefix(string(encoded), `{"phone":"+996700123456","text":"second","created_at":"20`) ||
			!strings.HasSuffix(string(encoded), `Z"}`) {
			t.Errorf("%s, %v", encoded, err)
		}
		none, err := box.List(ctx, "+996770000000")
		if encoded, _ := json.Marshal(none); err != nil || string(encoded) != "[]" {
			t.Errorf("unknown number: %s, %v", encoded, err)
		}
	})
}
