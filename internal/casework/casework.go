// Package casework says what becomes of a report: the states of a case, the acts that lead from one to another, who may do
// them, what they need and which clocks run. [Open] and [Apply] are pure; the rest keeps what they return.
//
// A case is the fold of its acts: its row holds the last value, so that lists need no folding, and its clocks and ledger can
// be folded again at any time, under this or another regime.
package casework

import "slices"

// State is where a case stands.
type State string

// The states, in the order in which a case usually passes them.
const (
	Reported    State = "reported"
	Confirming  State = "confirming" // a grid worker looks whether it is so
	SelfSettled State = "self_settled"
	Accepted    State = "accepted"
	Filed       State = "filed"
	Dispatched  State = "dispatched"
	Returned    State = "returned" // a unit gave it back: the desk finds another
	Received    State = "received"
	Disposing   State = "disposing"
	Suspended   State = "suspended"
	FedBack     State = "fed_back"
	Rework      State = "rework"
	Verified    State = "verified"
	Closed      State = "closed"
	Evaluated   State = "evaluated"
	Rejected    State = "rejected"
	Merged      State = "merged"
	Voided      State = "voided"
)

// States are all of them.
var States = []State{Reported, Confirming, SelfSettled, Accepted, Filed, Dispatched, Returned, Received, Disposing, Suspended, FedBack,
	Rework, Verified, Closed, Evaluated, Rejected, Merged, Voided}

var open = []State{Reported, Confirming, SelfSettled, Accepted, Filed, Dispatched, Returned, Received, Disposing, Suspended, FedBack, Rework, Verified}

// Open tells whether somebody still has to do something.
func (s State) Open() bool { return slices.Contains(open, s) }

// SettledBy is who settled a matter, whatever level it reached.
type SettledBy string

// Who settles, by the three levels of the practice.
const (
	VillageOnsite SettledBy = "village_onsite"
	TownTeam      SettledBy = "town_team"
	ByCommittee   SettledBy = "committee"
)
