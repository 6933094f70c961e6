package audit

// A check is a query for violations, and the rules that they break. A row of the
// query is (what, have, want): a name, such as an id, and two amounts or counts. If
// a query serves several rules, want is the index of the rule.
type check struct {
	query string
	// narrow names the tables of which RunSince reads only the new rows; empty: the
	// query is cheap and reads all rows.
	narrow string
	rules  []rule
	// since replaces the check in RunSince.
	since *check
}

// A rule is a property of the books.
type rule struct {
	invariant string // by its name in the books: "no debt"
	proves    string
	// violation is the sentence for a row that breaks the rule; {what}, {have},
	// {want} and {count}, which is have as a number, are replaced.
	violation string
}

// The names of the invariants.
const (
	booksBalance    = "books balance"
	sumOfEntries    = "balance is its entries"
	noDebt          = "no debt"
	onceOnly        = "once only"
	nothingErased   = "nothing erased"
	payments        = "payments"
	inTransit       = "in transit"
	cashIns         = "cash-ins"
	walletTransfers = "between wallets"
	accounts        = "accounts"
	operations      = "operations"
	settlements     = "settlements"
)

func checks() []check {
	all := [][]check{ledgerChecks, historyChecks, accountChecks, paymentChecks, transferChecks, settlementChecks}
	var list []check
	for _, group := range all {
		list = append(list, group...)
	}
	return list
}

// one returns the rules of a check with a single rule.
func one(invariant, proves, violation string) []rule {
	return []rule{{invariant, proves, violation}}
}

var ledgerChecks = []check{
	{query: unbalancedTransfers, narrow: "entries", rules: one(booksBalance, "every transfer sums to zero", "transfer {what} sums to {have}")},
	{query: unbalancedWhole, narrow: "entries", rules: one(booksBalance, "the whole sums to zero", "all {what} sum to {have}")},
	{query: shortTransfers, narrow: "transfers entries", rules: one(booksBalance, "every transfer has two entries or more", "transfer {what} has {count} entries")},
	{query: entriesWithoutAccount, narrow: "entries", rules: one(booksBalance, "every entry has its account", "account {what} is missing but has {count} entries")},
	{query: otherCurrencies, rules: one(booksBalance, "one currency", "account {what} is in another currency")},
	{
		query: wrongBalances, rules: one(sumOfEntries, "every balance equals its entries", wrongBalance),
		since: &check{ // the whole one reads every entry
			query: wrongMovedBalances, narrow: "moved", rules: one(sumOfEntries, "every balance equals its entries, of wallets that moved", wrongBalance),
		},
	},
	{
		query: allWrongSums, rules: sumRules(""),
		since: &check{query: movedWrongSums, narrow: "moved", rules: sumRules(", of wallets that moved")},
	},
	{query: stripesOfFlooredAccounts, rules: one(sumOfEntries, "stripes are of accounts without a floor", "account {what} has a floor and {count} stripes")},
	{query: belowFloor, rules: one(noDebt, "no account is below its floor", "account {what} has a balance of {have}, its floor is {want}")},
	{query: walletsWithoutFloor, rules: one(noDebt, "every wallet has a floor of zero", "wallet {what} may go below zero")},
	{
		query: repeatedKeys, rules: one(onceOnly, "one transfer for a request key", repeatedKey),
		since: &check{query: repeatedNewKeys, narrow: "transfers", rules: one(onceOnly, "one transfer for a request key", repeatedKey)},
	},
	{query: entriesWithoutTransfer, narrow: "entries", rules: one(nothingErased, "every entry has its transfer", "transfer {what} is missing, but {count} of its entries exist")},
	{query: missingLines, narrow: "entries", rules: one(nothingErased, "no line of a transfer is missing", "transfer {what} has a missing line")},
}

const repeatedKey = "{count} transfers have the request key {what}"

const wrongBalance = "account {what} has a balance of {have}, its entries sum to {want}"

// sumRules are the rules of wrongSums.
func sumRules(which string) []rule {
	return []rule{
		{sumOfEntries, "every wallet's sums are those of its entries" + which, "the sums of account {what} are not those of its entries"},
		{sumOfEntries, "what was spent is that of the entries" + which, "what was spent from account {what} is not that of its entries"},
	}
}

var accountChecks = []check{
	{query: customersWithoutWallet, rules: one(accounts, "every customer has a wallet", "customer {what} has no wallet")},
	{query: closedWithMoney, rules: one(accounts, "a closed wallet has no money", "the entries of closed wallet {what} sum to {have}")},
	{query: closedWithTransfers, rules: one(accounts, "a closed wallet has no transfers after its closing", "wallet {what} has {count} transfers after its closing")},
	{query: halfClosedWallets, rules: one(accounts, "a wallet is closed together with its customer", "only one of customer {what} and its wallet is closed")},
	{query: closedWithOpenPayments, rules: one(accounts, "a closed wallet has no open payments", "closed wallet {what} has {count} open payments")},
	{query: agentsWithoutTill, rules: one(accounts, "every agent has a till with its ceiling", "agent {what} has no till with its ceiling")},
}

var paymentChecks = []check{
	{query: paymentsWithoutTransfer, narrow: "payments", rules: one(payments, "every payment has its transfers", "{what} was never posted")},
	{query: transfersWithoutPayment, narrow: "transfers payments", rules: one(payments, "every payment's transfer has its payment", "transfer {what} has no payment in the matching state")},
	{query: wrongAcceptances, narrow: "payments", rules: one(payments, "acceptance: amount and fee, from the wallet into transit", "the acceptance of payment {what} has wrong amounts or accounts")},
	{query: wrongSettlements, narrow: "payments", rules: one(payments, "settlement: out of transit to the biller and the fees", "the settlement of payment {what} has wrong amounts or accounts")},
	{query: wrongRefunds, narrow: "payments", rules: one(payments, "refund: amount and fee, out of transit to the wallet", "the refund of payment {what} has wrong amounts or accounts")},
	{query: wrongGrounds, narrow: "payments", rules: one(payments, "every refund has a known ground, and its final refusal",
		"payment {what} was refunded without a reason: the biller may have booked it")},
	{query: undelivered, rules: one(payments, "every processing payment has an open delivery", "payment {what} is processing and has no open delivery")},
	{query: misdirected, rules: one(payments, "every open delivery is in the queue of its payment's biller", "delivery {what} is not in the queue of its payment's biller")},
	{query: attemptsWithoutID, rules: one(payments, "every attempt has an id, by which its signature is found", "payment {what} has no id")},
	{query: missingAttempts, narrow: "payments", rules: one(payments, "the attempts of a payment are numbered without gaps", "an attempt of payment {what} is missing")},
	{query: wrongAttempts, narrow: "payment_attempts", rules: one(payments, "every attempt calls the biller of its payment", "attempt {count} of payment {what} is not of its biller")},
	{query: decisionsWithoutID, rules: one(payments, "every decision has an id, by which its signature is found", "a decision about payment {what} has no id")},
	{query: repeatedNumbers, narrow: "payments", rules: one(payments, "no two payments have the same number at a biller", "{count} payments have the number {what}")},
	{query: wrongClaims, rules: one(payments, "every claim is on a refunded payment", "payment {what} has a claim and was not refunded")},
	{query: wrongEnds, narrow: "payments", rules: one(inTransit, "the end of a payment is posted once, and not before", "the end of payment {what} was posted {count} times")},
	{query: inconsistentEnds, narrow: "payments", rules: []rule{
		{payments, "every ended payment has the time of its end", "the state of payment {what} contradicts the time of its end"},
		{payments, "every payment is in a known state", "payment {what} has an unknown state"},
	}},
	{query: wrongTransit, rules: one(inTransit, "in transit = open payments, biller by biller", "transit account of {what} has a balance of {have}, its open payments sum to {want}")},
}

var transferChecks = []check{
	{query: cashInsWithoutTransfer, narrow: "cash_ins", rules: one(cashIns, "every credited cash-in has its transfer", "{what} was never posted")},
	{query: transfersWithoutCashIn, narrow: "transfers cash_ins", rules: one(cashIns, "every cash-in's transfer has its cash-in", "transfer {what} has no credited cash-in")},
	{query: walletTransfersWithoutTransfer, narrow: "wallet_transfers", rules: one(walletTransfers, "every transfer between wallets is in the books", "{what} was never posted")},
	//mutant:replace transfersWithoutWalletTransfer, => walletTransfersWithoutTransfer, TestWrongWalletTransfersAreFound
	{query: transfersWithoutWalletTransfer, narrow: "transfers wallet_transfers", rules: []rule{
		{walletTransfers, "every such transfer in the books has its sender", "transfer {what} has no sender"},
		{operations, "every transfer has a known operation", "transfer {what} has an unknown operation"},
	}},
	{query: wrongWalletTransfers, narrow: "wallet_transfers", rules: one(walletTransfers, "the amount, from the sender's wallet to the receiver's",
		"transfer {what} was posted with a wrong amount or wallet")},
	{query: wrongCashIns, narrow: "cash_ins", rules: one(cashIns, "the sum, from the agent's till to the wallet", "cash-in {what} was posted with a wrong sum or account")},
}

var settlementChecks = []check{
	{query: settlementsWithoutTransfer, rules: one(settlements, "every settlement has its transfer", "{what} was never posted")},
	{query: transfersWithoutSettlement, narrow: "transfers", rules: one(settlements, "every settlement's transfer has its settlement", "transfer {what} has no settlement")},
	{query: wrongPostedSettlements, rules: one(settlements, "the sum, between the party and the settlement account", "settlement {what} was posted with a wrong sum or account")},
	{query: overSettled, rules: one(settlements, "no party settled more than was owed", "account {what} has a balance of {have}")},
	{query: wrongNumbers, rules: one(settlements, "no settlement is missing", "the numbers of settlements of {what} have gaps")},
}
