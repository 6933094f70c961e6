package testkit

import (
	"context"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/testkit/require"
)

// Staff is the member of staff who acts in tests.
var Staff = customer.StaffAction{Staff: "aigul", Reason: "asked by the holder"}

// Block blocks a customer, who may then do nothing.
func Block(t testing.TB, customers *customer.Customers, id int64) {
	t.Helper()
	_, err := customers.Block(context.Background(), id, customer.BlockAll, Staff)
	require.NoError(t, err)
}

// Unblock ends a customer's blocks.
func Unblock(t testing.TB, customers *customer.Customers, id int64) {
	t.Helper()
	_, err := customers.Unblock(context.Background(), id, Staff)
	require.NoError(t, err)
}
