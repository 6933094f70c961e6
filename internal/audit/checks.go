package audit

import "elsom/internal/database"

// check is a query that finds what contradicts a property of the books, and
// the sentence that tells it. Those in a row that have one query share its
// reading: the row's want numbers whose it is, from zero.
type check struct {
	invariant string
	proves    string
	query     string
	says      string
	// narrow names the tables of which an audit since a moment reads what is
	// new; where it names none, the query is cheap, and asked as it is.
	narrow string
}

// The invariants by their names in the books, and the promises of the acts.
const (
	balance      = "books balance"
	sums         = "balance is its entries"
	noDebt       = "no debt"
	onceOnly     = "once only"
	nothingGone  = "nothing erased"
	payments     = "payments"
	holds        = "holds"
	cashIns      = "cash-ins"
	sent         = "between wallets"
	keysOfWallet = "accounts"
	acts         = "acts"
	settled      = "settlements"
)

func checks(dialect database.Dialect) []check {
	triggers := wrongTriggersSQLite
	if dialect == database.Postgres {
		triggers = wrongTriggersPostgres
	}
	//mutant:replace ", triggers, " => ", triggers + " AND 1 = 0", " TestSilencedTriggersAreFound
	//mutant:replace wallets", transfersWithoutSent, " => wallets", sentWithoutTransfer, " TestPlantedTransfersAreFound
	return []check{
		{balance, "every transfer sums to zero", unbalancedTransfers, "transfer {what} sums to {have}", "entries"},
		{balance, "the whole sums to zero", unbalancedWhole, "all {what} sum to {have}", "entries"},
		{balance, "every transfer has two entries or more", shortTransfers, "transfer {what} has {count} entries", "transfers entries"},
		{balance, "every entry has its account", strayEntries, "account {what} has {count} entries and is not there", "entries"},
		{balance, "one currency", otherCurrencies, "account {what} is in another currency", ""},
		{sums, "every balance equals its entries", wrongBalances, "account {what} is at {have}, its entries sum to {want}", ""},
		{sums, "stripes are of accounts without a floor", strayStripes, "account {what} has a floor and {count} stripes", ""},
		{noDebt, "no account is below its floor", belowFloor, "account {what} is at {have}, its floor is {want}", ""},
		{noDebt, "every wallet has a floor of zero", floorlessWallets, "wallet {what} may go below zero", ""},
		{onceOnly, "one transfer for a request key", repeatedKeys, "{count} transfers have the request key {what}", "transfers"},
		{nothingGone, "every entry has its transfer", orphanEntries, "transfer {what} is not there, {count} of its entries are", "entries"},
		{nothingGone, "no line of a transfer is missing", missingLines, "transfer {what} has lost a line", "entries"},
		{nothingGone, "the append-only triggers stand", triggers, "trigger {what} is missing, off or another", ""},
		{keysOfWallet, "every customer has a wallet", walletless, "customer {what} has no wallet", ""},
		{keysOfWallet, "a closed wallet holds no money", fullClosed, "the entries of closed wallet {what} sum to {have}", ""},
		{keysOfWallet, "a closed wallet has no transfers after its closing", movedClosed, "wallet {what} has {count} transfers after its closing", ""},
		{keysOfWallet, "a wallet is closed where its customer is", halfClosed, "customer {what} is closed and the wallet is not, or the other way", ""},
		{keysOfWallet, "a closed wallet has no open payments", openClosed, "closed wallet {what} has {count} open payments", ""},
		{keysOfWallet, "every agent has a till with its ceiling", tillless, "agent {what} has no till with its ceiling", ""},
		{payments, "every payment has its transfers", paymentsWithoutTransfer, "{what} was never posted", "payments"},
		{payments, "every payment's transfer has its payment", transfersWithoutPayment, "transfer {what} has no payment in that state", "transfers payments"},
		{payments, "acceptance: amount and fee, from the wallet into transit", wrongAcceptances, "payment {what} was not accepted by its amounts and accounts", "payments"},
		{payments, "settlement: out of transit to the biller and the fees", wrongSettlements, "payment {what} was not settled by its amounts and accounts", "payments"},
		{payments, "refund: amount and fee, out of transit to the wallet", wrongRefunds, "payment {what} was not refunded by its amounts and accounts", "payments"},
		{payments, "no refund without a refusal that can be believed, or two people", wrongGrounds, "payment {what} was refunded without a ground: an attempt of it may have been booked", "payments"},
		{payments, "every processing payment has an open delivery", undelivered, "payment {what} is processing and nobody will deliver it", ""},
		{payments, "a claim stands on a refunded payment", wrongClaims, "payment {what} has a claim and was not refunded", ""},
		{holds, "every hold is open or ended once", wrongHolds, "hold of payment {what} was ended {count} times", "payments"},
		{holds, "an end has its moment", strangeEnds, "payment {what} has a state and a moment of its end that disagree", "payments"},
		{payments, "every payment is in a known state", strangeEnds, "payment {what} is in a state that nobody knows", "payments"},
		{holds, "in transit = open payments, biller by biller", wrongTransit, "in transit to {what} are {have}, open payments come to {want}", ""},
		{cashIns, "every credited cash-in has its transfer", cashInsWithoutTransfer, "{what} was never posted", "cash_ins"},
		{cashIns, "every cash-in's transfer has its cash-in", transfersWithoutCashIn, "transfer {what} has no credited cash-in", "transfers cash_ins"},
		{sent, "every transfer between wallets is in the books", sentWithoutTransfer, "{what} was never posted", "wallet_transfers"},
		{sent, "every one in the books has its transfer between wallets", transfersWithoutSent, "transfer {what} has nobody who sent it", "transfers wallet_transfers"},
		{acts, "every transfer is of an act of the house", transfersWithoutSent, "transfer {what} is of an act that nobody knows", "transfers wallet_transfers"},
		{sent, "the amount, from the sender's wallet to the receiver's", wrongSent, "transfer {what} was not posted by its amount and wallets", "wallet_transfers"},
		{cashIns, "the sum, from the agent's till to the wallet", wrongCashIns, "cash-in {what} was not posted by its sum and accounts", "cash_ins"},
		{settled, "every settlement has its transfer", settlementsWithoutTransfer, "{what} was never posted", ""},
		{settled, "every settlement's transfer has its settlement", transfersWithoutSettlement, "transfer {what} has no settlement", "transfers"},
		{settled, "the sum, between the party and the settlement account", wrongPostedSettlements, "settlement {what} was not posted by its sum and accounts", ""},
		{settled, "nobody settled more than was owed", overSettled, "account {what} is at {have}", ""},
		{settled, "none is missing", wrongNumbers, "settlements of {what} are numbered with gaps", ""},
	}
}
