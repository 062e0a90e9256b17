package casework

import (
	"slices"

	"gridgov/internal/policy"
)

// Act is something that is done with a case.
type Act string

// The acts.
const (
	AskConfirm   Act = "ask_confirm"
	Confirm      Act = "confirm"
	SelfSettle   Act = "self_settle"
	Settle       Act = "settle"
	Accept       Act = "accept"
	Reject       Act = "reject"
	Merge        Act = "merge"
	File         Act = "file"
	Dispatch     Act = "dispatch"
	Receive      Act = "receive"
	Return       Act = "return"
	Transfer     Act = "transfer"
	Claim        Act = "claim"
	Begin        Act = "begin"
	FinishStage  Act = "finish_stage"
	Extend       Act = "extend"
	AskExtension Act = "ask_extension"
	ExtendAgain  Act = "extend_again"
	Suspend      Act = "suspend"
	Resume       Act = "resume"
	FeedBack     Act = "feed_back"
	Verify       Act = "verify"
	SendBack     Act = "send_back"
	Redo         Act = "redo"
	Close        Act = "close"
	Evaluate     Act = "evaluate"
	Reopen       Act = "reopen"
	Void         Act = "void"
	Split        Act = "split"
	Task         Act = "task"
	Relate       Act = "relate"
	Supervise    Act = "supervise"
	Note         Act = "note"
)

// Need is what an act has to carry.
type Need string

// What acts carry.
const (
	NeedReason   Need = "reason"   // in words; of some acts one of a list
	NeedEvidence Need = "evidence" // at least one picture
	NeedUnit     Need = "unit"
	NeedTarget   Need = "target"  // the case that it is the same as
	NeedVerdict  Need = "verdict" // whether it is so
	NeedRating   Need = "rating"
	NeedBudget   Need = "budget"
	NeedStage    Need = "stage"
	NeedSettler  Need = "settled_by"
	NeedParts    Need = "parts"
	NeedObject   Need = "object"
)

// Guard is a condition beyond state, right and needs; [guards] has what it asks.
type Guard string

// The guards.
const (
	OtherPerson  Guard = "other_person"    // than the one who disposed of it
	PartsDone    Guard = "parts_done"      // whatever was split off or given out as a task
	StagesDone   Guard = "stages_done"     // of an item with staged limits
	FirstTime    Guard = "first_extension" // nobody has extended it
	SecondTime   Guard = "second_extension"
	Asked        Guard = "extension_asked"  // the unit's head has
	InReturnTime Guard = "in_return_time"   // the unit has had it for longer than a return takes
	OtherUnit    Guard = "other_unit"       // than those that returned it, or a reason to overrule
	WithinWeek   Guard = "within_week"      // of being closed, but for the desk
	MayBeSettled Guard = "may_settle"       // by the item's line in the one-stop list
	NotItself    Guard = "not_itself"       // nor a part of it, nor one that is merged itself
	Certificated Guard = "two_certificated" // an inspection or a penalty names two officers
)

// Transition is one line of the table of a case.
type Transition struct {
	Act    Act
	From   []State
	To     State // empty: where it was
	Action policy.Action
	Needs  []Need
	Guards []Guard
	Why    string
}

// Table is the whole machine. What no line allows is refused.
var Table = []Transition{
	{AskConfirm, in(Reported), Confirming, policy.CaseTriage, nil, nil, "what a resident tells is looked at on the spot before anybody is sent"},
	{Confirm, in(Confirming), Reported, policy.CaseConfirm, needs(NeedVerdict), nil, "who stands there says whether it is so"},
	{SelfSettle, in(Reported), SelfSettled, policy.CaseSelfSettle, needs(NeedEvidence), guard(MayBeSettled), "small things do not leave the village"},
	{Settle, in(SelfSettled), Closed, policy.CaseSelfSettle, needs(NeedEvidence), guard(PartsDone), "the picture afterwards stands beside the one before"},

	{Accept, in(Reported), Accepted, policy.CaseTriage, nil, nil, "the desk takes it on"},
	{Reject, in(Reported, Accepted), Rejected, policy.CaseTriage, needs(NeedReason), nil, "who told it is told why"},
	{Merge, in(Reported, Accepted, Filed, Dispatched), Merged, policy.CaseTriage, needs(NeedTarget), guard(NotItself), "one matter, one case; nothing is merged by itself"},
	{File, in(Accepted), Filed, policy.CaseTriage, nil, nil, "from here it counts"},
	{Dispatch, in(Filed), Dispatched, policy.CaseTriage, needs(NeedUnit), nil, "the unit that the rules name, or another with a reason"},
	{Dispatch, in(Returned), Dispatched, policy.CaseTriage, needs(NeedUnit), guard(OtherUnit), "not to the same unit twice, unless overruled"},
	{Transfer, in(Dispatched, Received, Disposing, Rework), Dispatched, policy.CaseTriage, needs(NeedUnit, NeedReason), nil, "a matter on a border goes to the neighbour in one step, and its clocks keep what they counted"},
	{Split, in(Accepted, Filed, Dispatched), "", policy.CaseTriage, needs(NeedParts), nil, "two matters in one report are two cases"},

	{Receive, in(Dispatched), Received, policy.CaseHandle, nil, nil, "the unit has seen it"},
	{Return, in(Dispatched, Received), Returned, policy.CaseReturn, needs(NeedReason), guard(InReturnTime), "what is another's goes back with a reason"},
	{Claim, in(Received, Disposing, Rework), "", policy.CaseHandle, nil, nil, "so that two do not go"},
	{Begin, in(Received), Disposing, policy.CaseHandle, nil, nil, "somebody is on the scene"},
	{Task, in(Received, Disposing), "", policy.CaseHandle, needs(NeedParts), nil, "several units work side by side, each with its clock"},
	{FinishStage, in(Disposing), "", policy.CaseHandle, needs(NeedStage), nil, "a limit in stages is kept stage by stage"},
	{Extend, in(Disposing), "", policy.CaseExtend, needs(NeedReason, NeedBudget), guard(FirstTime), "the duty leader may give more time once"},
	{AskExtension, in(Disposing), "", policy.CaseAskExtension, needs(NeedReason, NeedBudget), guard(SecondTime), "a second time the unit's head asks"},
	{ExtendAgain, in(Disposing), "", policy.CaseSuspend, nil, guard(SecondTime, Asked), "and the head of the centre grants it"},
	{Suspend, in(Disposing), Suspended, policy.CaseSuspend, needs(NeedReason), nil, "season or engineering stop the clock; it stays on the list"},
	{Resume, in(Suspended), Disposing, policy.CaseSuspend, nil, nil, "the clock goes on where it stood"},
	{FeedBack, in(Disposing), FedBack, policy.CaseHandle, needs(NeedEvidence, NeedSettler), guard(PartsDone, StagesDone, Certificated), "done, with what shows it"},
	{Redo, in(Rework), Disposing, policy.CaseHandle, nil, nil, "once more"},

	{Verify, in(FedBack), Verified, policy.CaseVerify, nil, guard(OtherPerson), "who looks is not who did it"},
	{SendBack, in(FedBack), Rework, policy.CaseVerify, needs(NeedReason), guard(OtherPerson), "what is not done is done again"},
	{Close, in(Verified), Closed, policy.CaseTriage, nil, guard(PartsDone), "settled, and by whom"},

	{Evaluate, in(Closed), Evaluated, policy.CaseEvaluate, needs(NeedRating), guard(WithinWeek), "who told it says whether it helped"},
	{Reopen, in(Closed), Disposing, policy.CaseEvaluate, needs(NeedReason), guard(WithinWeek), "not settled after all"},
	{Reopen, in(Closed, Evaluated), Disposing, policy.CaseTriage, needs(NeedReason), nil, "the desk may at any time, with a reason"},

	{Void, open, Voided, policy.CaseVoid, needs(NeedReason), nil, "filed by mistake"},
	{Relate, open, "", policy.CaseNote, needs(NeedObject), nil, "which shop, site or household it is about"},
	{Supervise, open, "", policy.CaseSupervise, needs(NeedReason), nil, "the town looks after what hangs"},
	{Note, append(slices.Clone(open), Closed, Evaluated), "", policy.CaseNote, needs(NeedReason), nil, "a word for the next one"},
}

func in(s ...State) []State    { return s }
func needs(n ...Need) []Need   { return n }
func guard(g ...Guard) []Guard { return g }
