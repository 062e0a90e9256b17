package policy

import (
	"slices"
	"time"
)

// The actions. A route names one; a new one gets its rules in the table below.
const (
	ServiceDescribe     Action = "service.describe"     // what the API is; how to sign in
	SessionOpen         Action = "session.open"         // sign in
	AccountOwn          Action = "account.own"          // one's own sessions, password, second factor
	CityView            Action = "city.view"            // boundaries in force, names, places, what lies where
	PublicHeat          Action = "public.heat"          // counts by whole months, a day late, without squares that hold few
	PublicReport        Action = "public.report"        // tell of a matter by a confirmed phone number or e-mail address
	PublicFollow        Action = "public.follow"        // see what became of a report by its secret link
	FieldHold           Action = "field.hold"           // keep the borders of one's ground on a phone
	PlanView            Action = "plan.view"            // all boundary plans, drafts too
	ReportFile          Action = "report.file"          // tell of a matter
	ReportView          Action = "report.view"          // lists, details, tiles, counts, events
	ReportViewUnplaced  Action = "report.view_unplaced" // also those that lie in no grid
	ReportPosition      Action = "report.position"      // set a report's point by hand
	ReportUnmask        Action = "report.unmask"        // read who told it, with a reason
	CaseTriage          Action = "case.triage"          // take on, refuse, merge, split, send to a unit, close
	CaseConfirm         Action = "case.confirm"         // look on the spot whether it is so
	CaseSelfSettle      Action = "case.self_settle"     // settle at once what one finds
	CaseHandle          Action = "case.handle"          // take up, dispose of, feed back
	CaseReturn          Action = "case.return"          // give back what is another unit's
	CaseExtend          Action = "case.extend"          // more time, once
	CaseAskExtension    Action = "case.ask_extension"   // ask for more a second time
	CaseSuspend         Action = "case.suspend"         // stop the clock for season or engineering; grant a second extension
	CaseVerify          Action = "case.verify"          // look whether it is done
	CaseEvaluate        Action = "case.evaluate"        // say whether it helped, or that it is not settled
	CaseVoid            Action = "case.void"            // end what was filed by mistake
	CaseSupervise       Action = "case.supervise"       // look after what hangs
	CaseNote            Action = "case.note"            // leave a word, name the shop or site
	QueueKeep           Action = "queue.keep"           // views of the queue of one's own
	QueueShare          Action = "queue.share"          // views of the queue for a unit, or for all
	RegimeView          Action = "regime.view"          // the one-stop list, the rules of assignment, the calendar, as published
	RegimeEdit          Action = "regime.edit"          // their drafts, and putting them in force
	PublicCatalogue     Action = "public.catalogue"     // the one-stop list in force, and what a village's poster says
	PhotoUpload         Action = "photo.upload"         // send a photo or a voice note, look after one's uploads
	PhotoView           Action = "photo.view"           // see a photo without its metadata, hear a voice note: one's own, and those of what one sees
	PhotoOriginal       Action = "photo.original"       // see it as it was taken, with where and when
	CaseOfficers        Action = "case.officers"        // who of the responsible unit could go
	TeamView            Action = "team.view"            // a unit's people at work: roster, skills, vehicles, who leads now
	RosterEdit          Action = "roster.edit"          // plan shifts, grant leave, say what a unit has
	DutyOwn             Action = "duty.own"             // one's own shifts, swaps, leave, calendar and consent
	PositionView        Action = "position.view"        // where those on duty were seen last who consent to it
	CalendarRead        Action = "calendar.read"        // somebody's shifts by the secret address
	ScreeningView       Action = "screening.view"       // screenings, and the investigations that they propose
	ScreeningRun        Action = "screening.run"        // make a screening of the city now
	ProposalDecide      Action = "proposal.decide"      // order an investigation, or decline it
	InvestigationView   Action = "investigation.view"   // orders of investigations
	InvestigationRecord Action = "investigation.record" // say what was found, put somebody else on an order
	InvestigationRate   Action = "investigation.rate"   // how many investigations found something
	PatrolView          Action = "patrol.view"          // points of patrols, how they stand, which grids were visited
	PatrolEdit          Action = "patrol.edit"          // set, change and remove points; see who was there
	PatrolVisit         Action = "patrol.visit"         // tell that one was at a point
	PersonView          Action = "person.view"          // people, their posts; units
	PersonEdit          Action = "person.edit"          // people, posts, accounts
	UnitEdit            Action = "unit.edit"
	TokenEdit           Action = "token.edit" // machine accounts' tokens
	AuditView           Action = "audit.view"
	SettingEdit         Action = "setting.edit"
)

// CaseAct is anything that is done with a case. It has no line of its own: it reaches as far as any action on cases does, so that
// a route which does many of them lets in who may do one. Which one, each act asks for itself.
const CaseAct Action = "case.act"

// Relation is what an action's subject has to be to the person.
type Relation string

// The relations.
const (
	Own     Relation = "own"      // the person filed it
	OwnGrid Relation = "own_grid" // it lies in the grid or microgrid that the post is for
	Subtree Relation = "subtree"  // it lies in the jurisdiction that the post is for, or below
	MyUnit  Relation = "my_unit"  // the post's unit leads or supports it, wherever it lies
	InCity  Relation = "city"     // everywhere
)

// Rule is one line of the table: these roles may do the action where the relation holds.
type Rule struct {
	Action   Action
	Relation Relation
	Roles    []Role
	Reason   string
}

var (
	gridStaff   = []Role{MicrogridLeader, GridLeader, GridWorker}
	villageHead = []Role{VillageSecretary, StationedOfficer}
	teamPeople  = []Role{Auxiliary, Officer, UnitMember, UnitHead, DutyLeader}
	leaders     = []Role{Committee, TownLeader}
	invited     = []Role{ProBonoLawyer, Mediator, Volunteer}
)

// Rules are the whole table. What no line allows is refused.
var Rules = []Rule{
	{ServiceDescribe, InCity, roles(Visitor), "the interface's description is no secret"},
	{SessionOpen, InCity, roles(Visitor), "who is to sign in has not signed in"},
	{AccountOwn, InCity, roles(SignedIn), "one's own account is one's own"},

	{CityView, InCity, roles(SignedIn), "whoever works here reads the map"},
	{CityView, InCity, roles(Public), "boundaries in force are published"},
	{PublicHeat, InCity, roles(Public, SignedIn), "what is shown to anybody tells of nobody"},
	{PublicReport, InCity, roles(Telling), "who lives here sees what nobody else does; a code tells that somebody can be asked back"},
	{PublicFollow, InCity, roles(Visitor), "who holds a report's link was given it; it stays good when the city takes no more reports"},
	{FieldHold, Subtree, concat(gridStaff, villageHead), "who works on the ground knows without a line whose it is; a phone that is lost tells of no more"},
	{PlanView, InCity, roles(Planner, Administrator, CentreHead), "drafts are the planner's, and those who put them in force"},
	{PlanView, Subtree, leaders, "a committee hears of new borders before they are in force"},

	{ReportFile, InCity, concat(gridStaff, villageHead, teamPeople, roles(Desk, CentreHead, Volunteer, Resident)),
		"what is seen across a border is told too"},
	{ReportFile, InCity, roles(Hotline, Sensor, Machine), "machine accounts are there to tell"},

	{ReportView, Own, concat(gridStaff, villageHead, teamPeople, invited, roles(Resident, Desk, CentreHead, Hotline, Sensor, Machine)),
		"what one filed one may follow"},
	{ReportView, Subtree, gridStaff, "grid staff know their grid"},
	{ReportView, Subtree, villageHead, "a village sees and settles what lies in it"},
	{ReportView, Subtree, teamPeople, "a town team answers for its town; a line department has no territory"},
	{ReportView, MyUnit, concat(teamPeople, invited), "who leads or supports a matter sees it, wherever it lies"},
	{ReportView, Subtree, leaders, "leaders and committees review their town, or the city"},
	{ReportView, Subtree, roles(Desk, CentreHead), "a command centre sees what it is the centre of"},
	{ReportView, Subtree, roles(Planner), "borders are drawn by where matters arise"},
	{ReportView, InCity, roles(Administrator), "who runs the service answers for all of it"},
	{ReportView, Subtree, roles(Machine), "a machine reads what its post is for"},
	{ReportViewUnplaced, Subtree, roles(Desk, CentreHead, Administrator), "what lies in no grid lies below the city alone: its desk finds the place"},

	{ReportPosition, Subtree, roles(Desk, CentreHead), "the desk finds out where it was"},
	{ReportPosition, OwnGrid, roles(GridLeader, GridWorker), "who stands there knows the place"},
	{ReportUnmask, Subtree, roles(Desk, CentreHead), "the desk calls back; each look is on record"},

	{CaseTriage, Subtree, roles(Desk, CentreHead), "one desk sends, so that one answers"},
	{CaseConfirm, OwnGrid, roles(GridLeader, GridWorker), "who stands there sees whether it is so"},
	{CaseSelfSettle, OwnGrid, gridStaff, "small things do not leave the village"},
	{CaseSelfSettle, Subtree, villageHead, "small things do not leave the village"},
	{CaseHandle, MyUnit, teamPeople, "the unit that leads it, or helps, disposes of it"},
	{CaseReturn, MyUnit, roles(UnitHead, DutyLeader), "the unit gives back, not one of its people"},
	{CaseExtend, MyUnit, roles(UnitHead, DutyLeader), "who leads the shift knows how long it takes"},
	{CaseAskExtension, MyUnit, roles(UnitHead), "a second time the unit's head answers for it"},
	{CaseSuspend, Subtree, roles(CentreHead), "a clock that stands still is seen by the head of the centre"},
	{CaseVerify, OwnGrid, roles(GridLeader, GridWorker), "who knows the place sees whether it is done"},
	{CaseVerify, Subtree, villageHead, "a village sees whether it is done"},
	{CaseVerify, Subtree, roles(Desk, CentreHead), "the desk looks at the pictures, or calls back"},
	{CaseEvaluate, Own, concat(gridStaff, villageHead, roles(Volunteer, Resident)), "who told it says whether it helped"},
	{CaseEvaluate, Subtree, villageHead, "the village says whether it helped"},
	{CaseVoid, Subtree, roles(CentreHead), "what is voided is gone from all figures"},
	{CaseSupervise, Subtree, leaders, "the town looks after what hangs"},
	{CaseNote, OwnGrid, gridStaff, "who works with it leaves a word"},
	{CaseNote, Subtree, concat(villageHead, roles(Desk, CentreHead)), "who works with it leaves a word"},
	{CaseNote, MyUnit, concat(teamPeople, invited), "who works with it leaves a word"},

	{QueueKeep, InCity, concat(gridStaff, villageHead, teamPeople, leaders, invited, roles(Desk, CentreHead, Administrator)), "how one looks at one's work is one's own"},
	{QueueShare, MyUnit, roles(UnitHead, DutyLeader), "who leads the unit says how it looks at its work"},
	{QueueShare, Subtree, roles(CentreHead), "the centre's head says how the city looks at its work"},
	{QueueShare, InCity, roles(Administrator), "who runs the service puts right what was shared"},

	{RegimeView, InCity, roles(SignedIn), "who works here reads by what it is decided"},
	{RegimeEdit, InCity, roles(Administrator), "what decides about every case of the city is changed in one place; a centre's head sends one case elsewhere, with a reason"},
	{PublicCatalogue, InCity, roles(Visitor), "what may be told, who answers and how soon is published; it tells of nobody"},
	{PhotoUpload, InCity, concat(gridStaff, villageHead, teamPeople, invited, roles(Desk, CentreHead, Resident, Hotline, Sensor, Machine)),
		"who tells of a matter, or works on it, shows it"},
	{PhotoView, Own, concat(gridStaff, villageHead, teamPeople, invited, roles(Desk, CentreHead, Resident, Hotline, Sensor, Machine)),
		"what one sent one may look at; what one told one may follow"},
	{PhotoView, Subtree, gridStaff, "who knows the place sees whether it is so"},
	{PhotoView, Subtree, villageHead, "a village sees whether it is done"},
	{PhotoView, Subtree, teamPeople, "a town team sees what it will find"},
	{PhotoView, MyUnit, concat(teamPeople, invited), "who leads or supports a matter sees it, wherever it lies"},
	{PhotoView, Subtree, leaders, "leaders see what they review"},
	{PhotoView, Subtree, roles(Desk, CentreHead), "the desk looks at the pictures"},
	{PhotoOriginal, Own, concat(gridStaff, villageHead, teamPeople, invited, roles(Desk, CentreHead, Resident, Hotline, Sensor, Machine)),
		"one's own is known to oneself"},
	{PhotoOriginal, OwnGrid, roles(GridLeader, GridWorker), "who stands there sees whether it was taken there"},
	{PhotoOriginal, Subtree, villageHead, "a village answers for what it settles"},
	{PhotoOriginal, MyUnit, teamPeople, "evidence is looked at as it was taken"},
	{PhotoOriginal, Subtree, roles(Desk, CentreHead), "the desk finds out where and when it was"},

	{CaseOfficers, MyUnit, teamPeople, "the unit sees who of its people can go"},
	{CaseOfficers, Subtree, roles(Desk, CentreHead), "the desk sees whether somebody can go before it sends"},
	{TeamView, MyUnit, concat(teamPeople, invited, roles(Desk, CentreHead, Committee)), "who works together knows who is there"},
	{TeamView, Subtree, concat(roles(Desk, CentreHead), leaders), "who sends, and who supervises, sees who is there"},
	{TeamView, InCity, roles(Administrator), "who gives posts sees where they lack"},
	{RosterEdit, MyUnit, roles(UnitHead, DutyLeader, CentreHead), "a unit plans its own shifts"},
	{RosterEdit, InCity, roles(Administrator), "a unit without a head is planned for, too"},
	{DutyOwn, MyUnit, concat(teamPeople, invited, roles(Desk, CentreHead, Committee)), "one's own time is one's own to ask for and to give"},
	{PositionView, MyUnit, roles(UnitHead, CentreHead), "a head knows where those are who agreed to it, while on duty"},
	{PositionView, Subtree, roles(Desk, CentreHead), "who sends knows who is near"},
	{CalendarRead, InCity, roles(Visitor), "a calendar cannot sign in: the secret in the address stands for one person's own shifts"},

	{ScreeningView, Subtree, concat(leaders, roles(Desk, CentreHead, Planner)), "who decides about investigations, or is asked about them, sees why they are proposed"},
	{ScreeningView, InCity, roles(Administrator), "who runs the service answers for all of it"},
	{ScreeningRun, Subtree, roles(Committee, CentreHead), "a screening is of the whole city: of those whose post is for it"},
	{ScreeningRun, InCity, roles(Administrator), "who runs the service sees whether it works"},
	{ProposalDecide, Subtree, roles(Committee), "one committee decides, so that one answers"},
	{InvestigationView, Subtree, concat(leaders, roles(Desk, CentreHead, Planner)), "who decides about investigations, or is asked about them, sees what came of them"},
	{InvestigationView, InCity, roles(Administrator), "who runs the service answers for all of it"},
	{InvestigationView, MyUnit, teamPeople, "who goes, or helps, knows where and why"},
	{InvestigationRecord, MyUnit, roles(Officer, UnitHead, DutyLeader), "who was there says what was found"},
	{InvestigationRecord, Subtree, roles(Committee), "who ordered it sees to it that it is done"},
	{InvestigationRate, InCity, roles(SignedIn, Public), "whether investigations find anything is published; it tells of nobody"},

	{PatrolView, Subtree, concat(gridStaff, villageHead, roles(Volunteer)), "who goes by knows where, and what is due"},
	{PatrolView, Subtree, concat(teamPeople, leaders, roles(Desk, CentreHead, Planner)), "who answers for a territory sees where nobody goes"},
	{PatrolView, InCity, roles(Administrator), "who runs the service answers for all of it"},
	{PatrolEdit, Subtree, villageHead, "a village knows what is to be looked after in it"},
	{PatrolEdit, Subtree, roles(Desk, CentreHead), "a desk sends where nobody goes"},
	{PatrolVisit, Subtree, concat(gridStaff, villageHead, roles(Volunteer)), "who lives and works there goes by"},

	{PersonView, InCity, roles(Administrator), "accounts are the administrator's work"},
	{PersonView, Subtree, concat(roles(Desk, CentreHead, TownLeader), villageHead), "who calls on people has to find them"},
	{PersonView, MyUnit, roles(UnitHead, DutyLeader), "a unit's head knows the unit's people"},
	{PersonEdit, InCity, roles(Administrator), "rights are given in one place"},
	{UnitEdit, InCity, roles(Administrator), "rights are given in one place"},
	{TokenEdit, InCity, roles(Administrator), "a token is a right that nobody sees at work"},
	{AuditView, InCity, roles(Administrator), "the record is read by who answers for the service"},
	{SettingEdit, InCity, roles(Administrator), "settings bind the whole city"},
}

func roles(r ...Role) []Role { return r }

func concat(lists ...[]Role) (all []Role) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// Sources are the sources under which a role files reports: what a person types in is not a sensor's.
var Sources = map[Role][]string{
	Resident: {"web"}, Volunteer: {"phone", "web"},
	MicrogridLeader: {"phone", "web", "patrol"}, GridLeader: {"phone", "web", "patrol"}, GridWorker: {"phone", "web", "patrol"},
	Auxiliary: {"phone", "web", "patrol"}, Officer: {"phone", "web", "patrol"}, UnitMember: {"phone", "web"}, UnitHead: {"phone", "web"},
	DutyLeader: {"phone", "web"}, VillageSecretary: {"phone", "web"}, StationedOfficer: {"phone", "web", "patrol"},
	Desk: {"phone", "web", "hotline"}, CentreHead: {"phone", "web", "hotline"},
	Hotline: {"hotline"}, Sensor: {"sensor"}, Machine: {"phone", "hotline", "web", "sensor", "import", "patrol"},
}

// Sources are those under which the actor files reports at a moment, each once, in the order of the posts.
func (a *Actor) Sources(at time.Time) (list []string) {
	for i := range a.Posts {
		if !a.Posts[i].InForce(at) {
			continue
		}
		for _, source := range Sources[a.Posts[i].Role] {
			if !slices.Contains(list, source) {
				list = append(list, source)
			}
		}
	}
	return list
}
