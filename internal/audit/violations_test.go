package audit_test

// violationCase is a manipulation of the books, and all that the audit must find.
//
// In statements {payable} and the like are accounts, {accept 11} is the transfer of
// that payment, {cash 1} that of a cash-in.
type violationCase struct {
	name string
	did  []string
	says []string
}

// former adds the delivery of payment 14 as the previous release does.
const former = "INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) SELECT id, 'biller:' || biller, CAST(id AS VARCHAR), '{}', 'open', due_at, accepted_at FROM payments WHERE id = 14"

var violationCases = []violationCase{
	{
		"an entry's amount is changed", []string{"UPDATE entries SET amount = amount + 100 WHERE transfer_id = {accept 11} AND account_id = 101"},
		[]string{
			"books balance: transfer {accept 11} (payment:11:accept) sums to 1,00",
			"books balance: all entries sum to 1,00",
			"balance is its entries: account 101 (wallet aizada) has a balance of 645,00, its entries sum to 646,00",
			"balance is its entries: the sums of account 101 (wallet aizada) are not those of its entries",
			"payments: the acceptance of payment 11 has wrong amounts or accounts",
		},
	},
	{
		"a balance is changed", []string{"UPDATE accounts SET balance = balance + 1 WHERE id = 102"},
		[]string{
			"books balance: all balances sum to 0,01",
			"balance is its entries: account 102 (wallet bakyt) has a balance of 298,01, its entries sum to 298,00",
		},
	},
	{
		"money moves from wallet to wallet without a transfer",
		[]string{"UPDATE accounts SET balance = balance + 1 WHERE id = 102", "UPDATE accounts SET balance = balance - 1 WHERE id = 101"},
		[]string{
			"balance is its entries: account 101 (wallet aizada) has a balance of 644,99, its entries sum to 645,00",
			"balance is its entries: account 102 (wallet bakyt) has a balance of 298,01, its entries sum to 298,00",
		},
	},
	{
		"a transfer's entries are erased", []string{
			"DELETE FROM entries WHERE transfer_id = {cash 2}",
			"UPDATE accounts SET balance = 500000 WHERE id = 102", // so that only this is wrong
			"UPDATE accounts SET balance = balance + 50000 WHERE id = 201", "UPDATE accounts SET balance = -20200 WHERE id = 102",
			"UPDATE accounts SET floor = -20200 WHERE id = 102",
		},
		[]string{
			"books balance: transfer {cash 2} (cashin:kicb:2) has 0 entries",
			"balance is its entries: the sums of account 102 (wallet bakyt) are not those of its entries",
			"no debt: account 102 (wallet bakyt) has a balance of −202,00, its floor is −202,00",
			"no debt: wallet 102 may go below zero",
			"cash-ins: cash-in 902 was posted with a wrong sum or account",
		},
	},
	{
		"a transfer is erased", []string{"DELETE FROM transfers WHERE id = {accept 14}"},
		[]string{
			"nothing erased: transfer {accept 14} is missing, but 2 of its entries exist",
			"balance is its entries: what was spent from account 102 (wallet bakyt) is not that of its entries",
			"payments: payment.accept payment:14:accept was never posted",
		},
	},
	{
		"a line of a transfer is erased", []string{"DELETE FROM entries WHERE transfer_id = {end 11} AND line = 1"},
		[]string{
			"books balance: transfer {end 11} (payment:11:end) sums to −250,00",
			"books balance: all entries sum to −250,00",
			"balance is its entries: account {payable} (payable dostek) has a balance of 350,00, its entries sum to 100,00",
			"nothing erased: transfer {end 11} (payment:11:end) has a missing line",
			"payments: the settlement of payment 11 has wrong amounts or accounts",
		},
	},
	{
		"an account is erased", []string{"DELETE FROM stripes WHERE account_id = {payable}", "DELETE FROM accounts WHERE id = {payable}"},
		[]string{
			"books balance: all balances sum to −350,00",
			"books balance: account {payable} is missing but has 2 entries",
			"payments: the settlement of payment 11 has wrong amounts or accounts",
			"payments: the settlement of payment 12 has wrong amounts or accounts",
		},
	},
	{
		"a stripe is changed", []string{"UPDATE stripes SET balance = balance + 100 WHERE account_id = {payable}"},
		[]string{
			"books balance: all balances sum to 1,00",
			"balance is its entries: account {payable} (payable dostek) has a balance of 351,00, its entries sum to 350,00",
		},
	},
	{
		"a stripe is erased", []string{"DELETE FROM stripes WHERE account_id = {transit}"},
		[]string{
			"books balance: all balances sum to −202,00",
			"balance is its entries: account {transit} (transit dostek) has a balance of 0,00, its entries sum to 202,00",
			"in transit: transit account of dostek has a balance of 0,00, its open payments sum to 202,00",
		},
	},
	{
		"a debt of a wallet is hidden in a stripe", []string{
			"INSERT INTO stripes (account_id, stripe, balance) VALUES (102, 0, -30000)", "UPDATE accounts SET balance = balance + 30000 WHERE id = 102",
		},
		[]string{
			"books balance: all balances sum to 300,00",
			"balance is its entries: account 102 (wallet bakyt) has a balance of 598,00, its entries sum to 298,00",
			"balance is its entries: account 102 has a floor and 1 stripes",
		},
	},
	{
		"an account changes its currency", []string{"UPDATE accounts SET currency = 'USD' WHERE id = 102"},
		[]string{"books balance: account 102 is in another currency"},
	},
	{
		"an agent owes more than its ceiling", []string{"UPDATE accounts SET floor = -100000 WHERE id = 201"},
		[]string{
			"no debt: account 201 (till kicb) has a balance of −1\u00a0500,00, its floor is −1\u00a0000,00",
			"accounts: agent kicb has no till with its ceiling",
		},
	},
	{
		"two payments have one number", []string{"UPDATE payments SET txn_id = '11' WHERE id = 12"},
		[]string{"payments: 2 payments have the number 11"},
	},
	{
		"a request key is used twice", []string{
			"INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 77, request_key, '', act, posted_at FROM transfers WHERE id = {end 12}",
			"INSERT INTO entries VALUES (77, 0, {transit}, -10000), (77, 1, {payable}, 10000)",
			"UPDATE accounts SET balance = balance - 10000 WHERE id = {transit}", "UPDATE accounts SET balance = balance + 10000 WHERE id = {payable}",
		},
		[]string{
			"once only: 2 transfers have the request key payment:12:end",
			"payments: the settlement of payment 12 has wrong amounts or accounts",
			"in transit: the end of payment 12 was posted 2 times",
			"in transit: transit account of dostek has a balance of 102,00, its open payments sum to 202,00",
		},
	},
	{
		"a customer has no wallet", []string{
			"INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at) " +
				"SELECT 103, '+996700000103', '', 'ru', '', FALSE, 0, 'basic', created_at FROM customers WHERE id = 101",
		},
		[]string{"accounts: customer 103 has no wallet"},
	},
	{
		"a payment without money", []string{
			"INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, due_at) " +
				"SELECT 15, 102, service, 'akinet', identifier, payee, 700, 0, '15', '15', channel, 'processing', accepted_at, due_at FROM payments WHERE id = 11",
		},
		[]string{
			"payments: payment.accept payment:15:accept was never posted",
			"in transit: transit account of akinet has a balance of 0,00, its open payments sum to 7,00",
		},
	},
	{
		"a transfer names another payment", []string{"UPDATE transfers SET subject_id = 11 WHERE id = {end 12}"},
		[]string{
			"payments: payment.settle payment:12:end was never posted",
			"payments: transfer {end 12} (payment:12:end, payment.settle) has no payment in the matching state",
		},
	},
	{
		"a cash-in's transfer names a payment", []string{"UPDATE transfers SET subject_kind = 'payment', subject_id = 12 WHERE id = {cash 2}"},
		[]string{
			"cash-ins: cashin:kicb:2 was never posted",
			"cash-ins: transfer {cash 2} (cashin:kicb:2, cashin.pay_in) has no credited cash-in",
			"payments: transfer {cash 2} (cashin:kicb:2, cashin.pay_in) has no payment in the matching state",
		},
	},
	{
		"a payment's row is erased", []string{"DELETE FROM payments WHERE id = 12"},
		[]string{
			"payments: transfer {accept 12} (payment:12:accept, payment.accept) has no payment in the matching state",
			"payments: transfer {end 12} (payment:12:end, payment.settle) has no payment in the matching state",
		},
	},
	{
		"a completed payment is set back to processing", []string{"UPDATE payments SET state = 'processing', ended_at = NULL WHERE id = 12"},
		[]string{
			"payments: transfer {end 12} (payment:12:end, payment.settle) has no payment in the matching state",
			"in transit: the end of payment 12 was posted 1 times",
			"in transit: transit account of dostek has a balance of 202,00, its open payments sum to 302,00",
		},
	},
	{
		"a processing payment is marked completed", []string{"UPDATE payments SET state = 'completed' WHERE id = 14"},
		[]string{
			"payments: payment.settle payment:14:end was never posted",
			"in transit: the end of payment 14 was posted 0 times",
			"payments: the state of payment 14 contradicts the time of its end",
			"in transit: transit account of dostek has a balance of 202,00, its open payments sum to 0,00",
		},
	},
	{
		"a settled payment is marked refunded", []string{"UPDATE payments SET state = 'refunded' WHERE id = 12"},
		[]string{
			"payments: payment.refund payment:12:end was never posted",
			"payments: transfer {end 12} (payment:12:end, payment.settle) has no payment in the matching state",
			"payments: the refund of payment 12 has wrong amounts or accounts",
		},
	},
	{
		"a settled payment gets an unknown state", []string{"UPDATE payments SET state = 'paid' WHERE id = 12"},
		[]string{
			"payments: payment.refund payment:12:end was never posted",
			"payments: transfer {end 12} (payment:12:end, payment.settle) has no payment in the matching state",
			"payments: payment 12 has an unknown state",
		},
	},
	{
		"a refunded payment gets an unknown state", []string{"UPDATE payments SET state = 'returned' WHERE id = 13"},
		[]string{
			"payments: payment 13 has a claim and was not refunded",
			"payments: payment 13 has an unknown state",
		},
	},
	{
		"a processing payment gets an unknown state", []string{"UPDATE payments SET state = '' WHERE id = 14"},
		[]string{
			"payments: payment.refund payment:14:end was never posted",
			"payments: payment 14 has an unknown state",
			"in transit: the end of payment 14 was posted 0 times",
			"in transit: transit account of dostek has a balance of 202,00, its open payments sum to 0,00",
		},
	},
	{
		"money moves by an unknown operation", []string{
			"INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 77, 'gift:1', '', 'wallet.gift', posted_at FROM transfers WHERE id = {end 12}",
			"INSERT INTO entries VALUES (77, 0, {payable}, -10000), (77, 1, 102, 10000)",
			"UPDATE stripes SET balance = balance - 10000 WHERE account_id = {payable} AND stripe = (SELECT MIN(stripe) FROM stripes WHERE account_id = {payable})",
			"UPDATE accounts SET balance = balance + 10000 WHERE id = 102",
		},
		[]string{
			"balance is its entries: the sums of account 102 (wallet bakyt) are not those of its entries",
			"operations: transfer 77 (gift:1, wallet.gift) has an unknown operation",
		},
	},
	{
		"an unknown operation has a transfer's key", []string{
			"INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 77, 'transfer:7', '', '', posted_at FROM transfers WHERE id = {end 12}",
			"INSERT INTO entries VALUES (77, 0, 101, -10000), (77, 1, 102, 10000)",
			"UPDATE accounts SET balance = balance - 10000 WHERE id = 101", "UPDATE accounts SET balance = balance + 10000 WHERE id = 102",
		},
		[]string{
			"balance is its entries: the sums of account 101 (wallet aizada) are not those of its entries",
			"balance is its entries: the sums of account 102 (wallet bakyt) are not those of its entries",
			"operations: transfer 77 (transfer:7, ) has an unknown operation",
		},
	},
	{
		"a payment's amount is changed", []string{"UPDATE payments SET amount = amount - 100 WHERE id = 12"},
		[]string{
			"payments: the acceptance of payment 12 has wrong amounts or accounts",
			"payments: the settlement of payment 12 has wrong amounts or accounts",
		},
	},
	{
		"a fee is hidden in the amount", []string{"UPDATE payments SET amount = amount + 100, fee = fee - 100 WHERE id = 11"},
		[]string{"payments: the settlement of payment 11 has wrong amounts or accounts"},
	},
	{
		"a payment changes its customer", []string{"UPDATE payments SET customer_id = 102 WHERE id = 13"},
		[]string{
			"payments: the acceptance of payment 13 has wrong amounts or accounts",
			"payments: the refund of payment 13 has wrong amounts or accounts",
		},
	},
	{
		"a payment is never due", []string{"UPDATE payments SET due_at = NULL WHERE id = 14"},
		[]string{"payments: payment 14 is processing and has no open delivery"},
	},
	{
		"a delivery is lost", []string{former, "UPDATE promises SET state = 'failed' WHERE id = 14", "UPDATE payments SET due_at = NULL WHERE id = 14"},
		[]string{"payments: payment 14 is processing and has no open delivery"},
	},
	{
		"a delivery is in the queue of another biller", []string{
			former, "UPDATE promises SET lane = 'biller:hoster' WHERE id = 14", "UPDATE payments SET due_at = NULL WHERE id = 14",
		},
		[]string{
			"payments: payment 14 is processing and has no open delivery",
			"payments: delivery biller:hoster 14 is not in the queue of its payment's biller",
		},
	},
	{
		"a delivery has no payment", []string{
			former, "UPDATE promises SET key = '15' WHERE id = 14", "UPDATE payments SET due_at = NULL WHERE id = 14",
			"INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) SELECT 15, lane, '014', '', state, due_at, made_at FROM promises WHERE id = 14",
			"INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) SELECT 16, lane, '14x', '', state, due_at, made_at FROM promises WHERE id = 14",
			"INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) SELECT 17, lane, '9999999999999999999', '', state, due_at, made_at FROM promises WHERE id = 14",
		},
		[]string{
			"payments: payment 14 is processing and has no open delivery",
			"payments: delivery biller:dostek 014 is not in the queue of its payment's biller",
			"payments: delivery biller:dostek 14x is not in the queue of its payment's biller",
			"payments: delivery biller:dostek 15 is not in the queue of its payment's biller",
			"payments: delivery biller:dostek 9999999999999999999 is not in the queue of its payment's biller",
		},
	},
	{
		"an attempt is erased", []string{
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, biller, outcome) SELECT 31, 14, 2, accepted_at, 'dostek', 'refused' FROM payments WHERE id = 14",
		},
		[]string{"payments: an attempt of payment 14 is missing"},
	},
	{
		"an attempt calls another biller", []string{
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, biller, outcome) SELECT 31, 14, 1, accepted_at, 'hoster', 'unsent' FROM payments WHERE id = 14",
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, biller) SELECT 32, 14, 2, accepted_at, 'hoster' FROM payments WHERE id = 14",
		},
		[]string{"payments: attempt 2 of payment 14 is not of its biller"},
	},
	{
		"an attempt has no payment", []string{
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, biller, outcome) SELECT 31, 15, 1, accepted_at, 'dostek', 'good' FROM payments WHERE id = 14",
		},
		[]string{"payments: attempt 1 of payment 15 is not of its biller"},
	},
	{
		"a refund after an answer that was not final", []string{
			"UPDATE payments SET refund_ground = 'refused' WHERE id = 13",
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) SELECT 21, 13, 1, accepted_at, 'later' FROM payments WHERE id = 13",
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) SELECT 22, 13, 2, accepted_at, 'refused' FROM payments WHERE id = 13",
		},
		[]string{"payments: payment 13 was refunded without a reason: the biller may have booked it"},
	},
	{
		"a refund after an attempt without an answer", []string{
			"UPDATE payments SET refund_ground = 'refused' WHERE id = 13",
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) SELECT 23, 13, 1, accepted_at, NULL FROM payments WHERE id = 13",
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) SELECT 24, 13, 2, accepted_at, 'refused' FROM payments WHERE id = 13",
		},
		[]string{"payments: payment 13 was refunded without a reason: the biller may have booked it"},
	},
	{
		"a refund without a refusal", []string{
			"UPDATE payments SET refund_ground = 'refused' WHERE id = 13",
			"INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) SELECT 25, 13, 1, accepted_at, 'unsent' FROM payments WHERE id = 13",
		},
		[]string{"payments: payment 13 was refunded without a reason: the biller may have booked it"},
	},
	{
		"a refund decided by one", []string{
			"UPDATE payments SET refund_ground = 'decided' WHERE id = 13",
			"INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, made_at) SELECT 1, 13, 'aigul', 'refund', 'so', accepted_at FROM payments WHERE id = 13",
		},
		[]string{"payments: payment 13 was refunded without the decisions of two different people"},
	},
	{
		"a claim on a payment without a refund", []string{"UPDATE payment_claims SET payment_id = 12"},
		[]string{"payments: payment 12 has a claim and was not refunded"},
	},
	{
		"a cash-in's row is erased", []string{"DELETE FROM cash_ins WHERE txn_id = '1'"},
		[]string{"cash-ins: transfer {cash 1} (cashin:kicb:1, cashin.pay_in) has no credited cash-in"},
	},
	{
		"a refused cash-in is marked credited", []string{"UPDATE cash_ins SET result = 0, customer_id = 101 WHERE txn_id = '3'"},
		[]string{"cash-ins: cashin:kicb:3 was never posted"},
	},
	{
		"a cash-in's sum is changed", []string{"UPDATE cash_ins SET sum = sum + 1 WHERE txn_id = '2'"},
		[]string{"cash-ins: cash-in 902 was posted with a wrong sum or account"},
	},
	{
		"a wallet is closed without its customer", []string{"UPDATE accounts SET balance = 0, closed_at = '2100-01-01 00:00:00+00' WHERE id = 102"},
		[]string{
			"books balance: all balances sum to −298,00",
			"balance is its entries: account 102 (wallet bakyt) has a balance of 0,00, its entries sum to 298,00",
			"accounts: the entries of closed wallet 102 sum to 298,00",
			"accounts: only one of customer 102 and its wallet is closed",
		},
	},
	{
		"a wallet was closed before its transfers", []string{
			"UPDATE accounts SET balance = 0, closed_at = '2000-01-01 00:00:00+00' WHERE id = 102",
			"UPDATE customers SET closed_at = '2000-01-01 00:00:00+00' WHERE id = 102",
		},
		[]string{
			"books balance: all balances sum to −298,00",
			"balance is its entries: account 102 (wallet bakyt) has a balance of 0,00, its entries sum to 298,00",
			"accounts: the entries of closed wallet 102 sum to 298,00",
			"accounts: wallet 102 has 2 transfers after its closing",
			"accounts: closed wallet 102 has 1 open payments",
		},
	},
	{
		"a customer is closed without the wallet, and a payment is open", []string{"UPDATE customers SET closed_at = created_at WHERE id = 102"},
		[]string{
			"accounts: only one of customer 102 and its wallet is closed",
			"accounts: closed wallet 102 has 1 open payments",
		},
	},
}
