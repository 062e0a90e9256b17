// Package screening finds high-frequency matters: where an item was told of more than chance would have it, and often enough. From that
// come proposals of investigations, each with the reports that are its evidence.
//
// [Screen] is pure: a [Cut], which is what is read at one position of the feed, and [Params] give a [Result], the same bytes whenever it is
// asked. [Service] reads cuts, keeps what came of them, and makes a screening again from what it kept.
package screening

import (
	"encoding/json"

	"gridgov/internal/hotspot"
)

// ID is a screening's number.
type ID int64

// ProposalID is a proposal's number.
type ProposalID int64

// Params say what is high-frequency; they are those of the one-stop list in force.
type Params struct {
	Level string  `json:"level"` // of the units that are tested
	Days  int     `json:"days"`
	Least int     `json:"least"` // reports in a place that served for no proposal; an item may have its own
	Q     float64 `json:"q"`     // false discovery rate
	Seed  uint64  `json:"seed"`  // of draws; the statistics that are asked for today make none
}

// trendWeeks are the weeks before the window over which a trend is looked for.
const trendWeeks = 12

const (
	day  = 24 * 60 * 60
	week = 7 * day
)

// Cut is all that a screening is made of: numbers and codes, nobody's words.
type Cut struct {
	Epoch    int   `json:"epoch"` // with Seq, the feed's position
	Seq      int64 `json:"seq"`
	Plan     int64 `json:"plan"` // 0: none is in force
	List     int64 `json:"list"`
	HasLevel bool  `json:"has_level"` // the plan has the level
	// Reports from From on are looked at; those before, back to Since, tell how it was. Seconds since 1970; To is excluded.
	Since      int64     `json:"since"`
	From       int64     `json:"from"`
	To         int64     `json:"to"`
	Items      []Item    `json:"items"` // in the order of their codes
	Units      []Unit    `json:"units"` // likewise
	Neighbours [][]int32 `json:"-"`     // of each unit, ascending
	Crews      []Crew    `json:"crews"` // of the reports' cases
	Open       []Open    `json:"open"`  // proposals that nobody has decided about, by number
	Elsewhere  int       `json:"elsewhere"`
	Reports    []Report  `json:"-"` // by number
}

// Item is an item of the list, or one that reports name.
type Item struct {
	Code   string `json:"code"`
	Aspect string `json:"aspect,omitempty"`
	Least  int    `json:"least,omitempty"` // of its own; 0: the parameters'
}

// Unit is a jurisdiction of the level, with what it lies in as far as the plan has it.
type Unit struct {
	Code    string `json:"code"`
	Town    string `json:"town,omitempty"`
	Village string `json:"village,omitempty"`
	Grid    string `json:"grid,omitempty"`
}

// Crew are the units at work on a case: who leads it, and who supports.
type Crew struct {
	Lead    int64   `json:"lead"`
	Support []int64 `json:"support,omitempty"`
}

// Open is a proposal of before.
type Open struct {
	ID      ProposalID `json:"id"`
	Item    string     `json:"item"`
	Units   []string   `json:"units"`
	Lead    int64      `json:"lead"`
	Objects []uint32   `json:"objects"` // as those of reports
}

// Report is a report that lies in a unit. Those whose case was refused, voided or merged into another are none.
type Report struct {
	Num    uint32
	Unit   int32 // index
	Item   int32 // index
	Crew   int32 // index; −1: none
	At     int64
	Object uint32 // the first report whose case names the same object; 0: none is named
	Patrol bool   // found by a patrol; else somebody told it
	Used   bool   // it is evidence of a proposal
}

// Result is what came of a screening.
type Result struct {
	Why       Why        `json:"why,omitempty"` // why there are no proposals
	Reports   int        `json:"reports"`       // told, in the window
	Units     int        `json:"units"`
	Elsewhere int        `json:"elsewhere"` // reports of the window that lie in no unit of the plan
	Items     []Screened `json:"items"`
	Proposals []Proposal `json:"proposals"`
}

// Why says why there are no proposals.
type Why string

// The reasons. Overtaken is said where a screening is kept, not by [Screen].
const (
	NoPlan     Why = "no_plan"     // no plan is in force
	NoLevel    Why = "no_level"    // the plan in force does not have the level
	NoReports  Why = "no_reports"  // nobody told anything in the window
	NothingHot Why = "nothing_hot" // nothing stands out from chance
	TooFew     Why = "too_few"     // what stands out is of fewer reports that served for no proposal than it takes
	Overtaken  Why = "overtaken"   // another screening had the evidence first
)

// Screened is what came of one item.
type Screened struct {
	Item   string `json:"item"`
	Told   int    `json:"told"`
	Tested int    `json:"tested"` // units; 0: all have as many, or none has neighbours
	Hot    int    `json:"hot"`    // units
	Places int    `json:"places"` // of hot units that touch, within a town
}

// Proposal is a place in which an item is high-frequency.
type Proposal struct {
	Item     string         `json:"item"`
	Town     string         `json:"town"` // "": the plan names none
	Units    []Found        `json:"units"`
	Told     int            `json:"told"`     // in the window
	Found    int            `json:"found"`    // likewise, by patrols
	Expected float64        `json:"expected"` // told, had all been drawn at random
	Around   []Neighbour    `json:"around"`   // units that touch the place
	Weeks    []Week         `json:"weeks"`    // the oldest first; those of the window at the end
	Trend    Trend          `json:"trend"`    // of what was told, in the weeks before the window
	Evidence []uint32       `json:"evidence"` // reports that were told, and served for no proposal
	Objects  []Object       `json:"objects"`  // named by two reports of the evidence at least, those seen most first
	Crews    []Department   `json:"departments"`
	Related  []int          `json:"related"` // proposals of this screening, by index
	Open     []ProposalID   `json:"open"`    // likewise, of before
	unit     map[int32]bool // the indices of Units
}

// Found is a hot unit.
type Found struct {
	Code  string  `json:"code"`
	Told  int     `json:"told"`
	Found int     `json:"found"`
	Z     float64 `json:"z"` // of Gi*: of the unit together with its neighbours
	Q     float64 `json:"q"`
}

// Neighbour is a unit beside a place.
type Neighbour struct {
	Code string `json:"code"`
	Told int    `json:"told"`
}

// Week is a week of a place; From is its first second. The last one of the window may be shorter.
type Week struct {
	From  int64 `json:"from"`
	Told  int   `json:"told"`
	Found int   `json:"found"`
}

// Trend is Mann and Kendall's; p is two-sided.
type Trend struct {
	Verdict hotspot.Verdict `json:"verdict"`
	S       int             `json:"s"`
	Z       float64         `json:"z"`
	P       float64         `json:"p"`
}

// Object is a shop, site or household, by the first report whose case names it: its words stay with the case.
type Object struct {
	Report uint32 `json:"report"`
	N      int    `json:"n"`
}

// Department is a unit at work on the evidence's cases.
type Department struct {
	Unit     int64 `json:"unit"`
	Leads    int   `json:"leads"`
	Supports int   `json:"supports,omitempty"`
}

// Lead is the unit that leads most of the evidence's cases; 0: there are none.
func (p *Proposal) Lead() int64 {
	if len(p.Crews) == 0 || p.Crews[0].Leads == 0 {
		return 0
	}
	return p.Crews[0].Unit
}

// Bytes are the result as it is kept: the same for the same result.
func (r *Result) Bytes() ([]byte, error) { return json.Marshal(r) }
