package audit

import "elsom/internal/database"

// A check is a query for what contradicts the books, and the rules that its rows
// break. A row is (what, have, want): the name of a thing, and two amounts or
// counts. Where a query serves several rules, want is the index of the rule.
type check struct {
	query string
	// narrow names the tables of which an audit since a moment reads only the new
	// rows; empty: the query is cheap and reads them whole.
	narrow string
	rules  []rule
	// since replaces the check in an audit since a moment.
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
	holds           = "holds"
	cashIns         = "cash-ins"
	walletTransfers = "between wallets"
	accounts        = "accounts"
	operations      = "acts"
	settlements     = "settlements"
)

func checks(dialect database.Dialect) []check {
	all := [][]check{ledgerChecks, triggerChecks(dialect), accountChecks, paymentChecks, transferChecks, settlementChecks}
	var list []check
	for _, group := range all {
		list = append(list, group...)
	}
	return list
}

// one is the rules of a check with a single one.
func one(invariant, proves, violation string) []rule {
	return []rule{{invariant, proves, violation}}
}

var ledgerChecks = []check{
	{query: unbalancedTransfers, narrow: "entries", rules: one(booksBalance, "every transfer sums to zero", "transfer {what} sums to {have}")},
	{query: unbalancedWhole, narrow: "entries", rules: one(booksBalance, "the whole sums to zero", "all {what} sum to {have}")},
	{query: shortTransfers, narrow: "transfers entries", rules: one(booksBalance, "every transfer has two entries or more", "transfer {what} has {count} entries")},
	{query: entriesWithoutAccount, narrow: "entries", rules: one(booksBalance, "every entry has its account", "account {what} has {count} entries and is not there")},
	{query: otherCurrencies, rules: one(booksBalance, "one currency", "account {what} is in another currency")},
	{
		query: wrongBalances, rules: one(sumOfEntries, "every balance equals its entries", wrongBalance),
		since: &check{ // the whole one reads every entry
			query: wrongMovedBalances, narrow: "moved", rules: one(sumOfEntries, "every balance equals its entries, of wallets that moved", wrongBalance),
		},
	},
	{query: stripesOfFlooredAccounts, rules: one(sumOfEntries, "stripes are of accounts without a floor", "account {what} has a floor and {count} stripes")},
	{query: belowFloor, rules: one(noDebt, "no account is below its floor", "account {what} is at {have}, its floor is {want}")},
	{query: walletsWithoutFloor, rules: one(noDebt, "every wallet has a floor of zero", "wallet {what} may go below zero")},
	{query: repeatedKeys, narrow: "transfers", rules: one(onceOnly, "one transfer for a request key", "{count} transfers have the request key {what}")},
	{query: entriesWithoutTransfer, narrow: "entries", rules: one(nothingErased, "every entry has its transfer", "transfer {what} is not there, {count} of its entries are")},
	{query: missingLines, narrow: "entries", rules: one(nothingErased, "no line of a transfer is missing", "transfer {what} has lost a line")},
}

const wrongBalance = "account {what} is at {have}, its entries sum to {want}"

func triggerChecks(dialect database.Dialect) []check {
	triggers := wrongTriggersSQLite
	if dialect == database.Postgres {
		triggers = wrongTriggersPostgres
	}
	//mutant:replace triggers, => triggers + " AND 1 = 0", TestWrongTriggersAreFound
	return []check{{query: triggers, rules: one(nothingErased, "the append-only triggers stand", "trigger {what} is missing, off or another")}}
}

var accountChecks = []check{
	{query: customersWithoutWallet, rules: one(accounts, "every customer has a wallet", "customer {what} has no wallet")},
	{query: closedWithMoney, rules: one(accounts, "a closed wallet holds no money", "the entries of closed wallet {what} sum to {have}")},
	{query: closedWithTransfers, rules: one(accounts, "a closed wallet has no transfers after its closing", "wallet {what} has {count} transfers after its closing")},
	{query: halfClosedWallets, rules: one(accounts, "a wallet is closed where its customer is", "customer {what} is closed and the wallet is not, or the other way")},
	{query: closedWithOpenPayments, rules: one(accounts, "a closed wallet has no open payments", "closed wallet {what} has {count} open payments")},
	{query: agentsWithoutTill, rules: one(accounts, "every agent has a till with its ceiling", "agent {what} has no till with its ceiling")},
}

var paymentChecks = []check{
	{query: paymentsWithoutTransfer, narrow: "payments", rules: one(payments, "every payment has its transfers", "{what} was never posted")},
	{query: transfersWithoutPayment, narrow: "transfers payments", rules: one(payments, "every payment's transfer has its payment", "transfer {what} has no payment in that state")},
	{query: wrongAcceptances, narrow: "payments", rules: one(payments, "acceptance: amount and fee, from the wallet into transit", "payment {what} was not accepted by its amounts and accounts")},
	{query: wrongSettlements, narrow: "payments", rules: one(payments, "settlement: out of transit to the biller and the fees", "payment {what} was not settled by its amounts and accounts")},
	{query: wrongRefunds, narrow: "payments", rules: one(payments, "refund: amount and fee, out of transit to the wallet", "payment {what} was not refunded by its amounts and accounts")},
	{query: wrongGrounds, narrow: "payments", rules: one(payments, "no refund without a refusal that can be believed, or two people",
		"payment {what} was refunded without a ground: an attempt of it may have been booked")},
	{query: undelivered, rules: one(payments, "every processing payment has an open delivery", "payment {what} is processing and nobody will deliver it")},
	{query: wrongClaims, rules: one(payments, "a claim stands on a refunded payment", "payment {what} has a claim and was not refunded")},
	{query: wrongHolds, narrow: "payments", rules: one(holds, "every hold is open or ended once", "hold of payment {what} was ended {count} times")},
	{query: inconsistentEnds, narrow: "payments", rules: []rule{
		{holds, "an end has its moment", "payment {what} has a state and a moment of its end that disagree"},
		{payments, "every payment is in a known state", "payment {what} is in a state that nobody knows"},
	}},
	{query: wrongTransit, rules: one(holds, "in transit = open payments, biller by biller", "in transit to {what} are {have}, open payments come to {want}")},
}

var transferChecks = []check{
	{query: cashInsWithoutTransfer, narrow: "cash_ins", rules: one(cashIns, "every credited cash-in has its transfer", "{what} was never posted")},
	{query: transfersWithoutCashIn, narrow: "transfers cash_ins", rules: one(cashIns, "every cash-in's transfer has its cash-in", "transfer {what} has no credited cash-in")},
	{query: walletTransfersWithoutTransfer, narrow: "wallet_transfers", rules: one(walletTransfers, "every transfer between wallets is in the books", "{what} was never posted")},
	//mutant:replace transfersWithoutWalletTransfer, => walletTransfersWithoutTransfer, TestWrongWalletTransfersAreFound
	{query: transfersWithoutWalletTransfer, narrow: "transfers wallet_transfers", rules: []rule{
		{walletTransfers, "every one in the books has its transfer between wallets", "transfer {what} has nobody who sent it"},
		{operations, "every transfer is of a known operation", "transfer {what} is of an act that nobody knows"},
	}},
	{query: wrongWalletTransfers, narrow: "wallet_transfers", rules: one(walletTransfers, "the amount, from the sender's wallet to the receiver's",
		"transfer {what} was not posted by its amount and wallets")},
	{query: wrongCashIns, narrow: "cash_ins", rules: one(cashIns, "the sum, from the agent's till to the wallet", "cash-in {what} was not posted by its sum and accounts")},
}

var settlementChecks = []check{
	{query: settlementsWithoutTransfer, rules: one(settlements, "every settlement has its transfer", "{what} was never posted")},
	{query: transfersWithoutSettlement, narrow: "transfers", rules: one(settlements, "every settlement's transfer has its settlement", "transfer {what} has no settlement")},
	{query: wrongPostedSettlements, rules: one(settlements, "the sum, between the party and the settlement account", "settlement {what} was not posted by its sum and accounts")},
	{query: overSettled, rules: one(settlements, "nobody settled more than was owed", "account {what} is at {have}")},
	{query: wrongNumbers, rules: one(settlements, "none is missing", "settlements of {what} are numbered with gaps")},
}
