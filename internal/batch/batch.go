// Package batch does one act with many cases. A batch waits for ten seconds, in which whoever sees it may cancel it; then one
// of the nodes carries it out, be the browser that sent it open or not. Each case's act has a key of its own, so that a batch
// that a node left half done is taken up by another and nothing is done twice. What changed meanwhile is left out and told; what
// fails stops nothing else.
package batch

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// ID is a batch's id, a UUID that the client makes.
type ID uuid.UUID

func (id ID) String() string { return uuid.UUID(id).String() }

// The bounds of a batch.
const (
	MaxCases = 500
	Wait     = 10 * time.Second // until it is begun with
	// MaxWaiting is how many of one person may wait or run at once.
	MaxWaiting = 10
	// Kept is how long it is kept once it has ended; what was done with a case is in the case's history.
	Kept = 30 * 24 * time.Hour
	// lease is how long a node that says nothing is believed to be at work.
	lease = time.Minute
)

// State is where a batch stands.
type State string

// The states.
const (
	Waiting   State = "waiting"
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// Outcome is what became of one case of a batch.
type Outcome string

// The outcomes; "" as long as nothing was done with it.
const (
	WasDone Outcome = "done"
	LeftOut Outcome = "left_out" // it changed meanwhile, or may not be done: nothing was
	Failed  Outcome = "failed"   // the service could not, through nobody's fault
)

// Ask is what is done with each case: acts one after the other, and what goes with the last of them.
type Ask struct {
	Acts       []casework.Act  `json:"-"`
	Reason     string          `json:"reason,omitempty"`
	Unit       policy.UnitID   `json:"unit,omitempty"`
	Supporting []policy.UnitID `json:"supporting,omitempty"`
	Target     *casework.Ref   `json:"target,omitempty"`
	Verdict    *bool           `json:"verdict,omitempty"`
	Object     string          `json:"object,omitempty"`
}

// Case is a case of a batch, as it was seen when the batch was made.
type Case struct {
	casework.Ref
	Version    int
	Outcome    Outcome
	Why, Words string // of one that was left out or failed: a code, and a sentence
}

// Batch is one batch.
type Batch struct {
	ID          ID
	Ask         Ask
	State       State
	MadeAt      time.Time
	MadeBy      uuid.UUID
	Address     string      // the client's, for the record
	Area        policy.Area // of the post by which it was made; zero: none
	StartsAt    time.Time
	EndedAt     time.Time // zero: it has not
	CancelledBy uuid.UUID // nil: nobody has
	Cases       []Case
}

// needs are what the acts of a batch may carry: the same for all of its cases. Pictures, parts and the like are one case's.
var needs = []casework.Need{casework.NeedReason, casework.NeedUnit, casework.NeedTarget, casework.NeedVerdict, casework.NeedObject}

// check says what is wrong with a new batch.
func (b *Batch) check() error {
	if len(b.Ask.Acts) == 0 {
		return fault.Invalid("acts", "required", "say what to do")
	}
	if len(b.Ask.Acts) > 10 {
		return fault.Invalid("acts", "too_many", "at most 10 acts at once")
	}
	for _, act := range b.Ask.Acts {
		if !inBulk(act) {
			return fault.Invalid("acts", "not_in_bulk", "%.40q is done with one case at a time", string(act))
		}
	}
	if err := casework.CheckTexts(b.Ask.Reason, b.Ask.Object); err != nil {
		return err
	}
	if len(b.Ask.Supporting) > 50 {
		return fault.Invalid("supporting", "too_many", "at most 50 units")
	}
	if len(b.Cases) == 0 || len(b.Cases) > MaxCases {
		return fault.Invalid("cases", "out_of_range", "a batch has 1 to %d cases; this one has %d", MaxCases, len(b.Cases))
	}
	seen := make(map[casework.Ref]bool, len(b.Cases))
	for i, c := range b.Cases {
		if seen[c.Ref] {
			return fault.Invalid(fmt.Sprintf("cases[%d].case", i), "named_twice", "case %s is in it twice", c.Ref)
		}
		if c.Version < 0 {
			return fault.Invalid(fmt.Sprintf("cases[%d].version", i), "out_of_range", "%d is no version of a case", c.Version)
		}
		if b.Ask.Target != nil && *b.Ask.Target == c.Ref {
			return fault.Invalid("target", "not_itself", "case %s is among those that are merged into it", c.Ref)
		}
		seen[c.Ref] = true
	}
	return nil
}

// inBulk tells whether an act may be done with many cases at once: it carries nothing that is one case's own.
func inBulk(act casework.Act) bool {
	known := false
	for i := range casework.Table {
		if line := &casework.Table[i]; line.Act == act {
			known = true
			if slices.ContainsFunc(line.Needs, func(n casework.Need) bool { return !slices.Contains(needs, n) }) {
				return false
			}
		}
	}
	return known
}

// ask is what is asked of one of its cases. Its key follows from the batch and the case's place in it.
func (b *Batch) ask(n int) casework.Ask {
	last := len(b.Ask.Acts) - 1
	return casework.Ask{Ref: b.Cases[n].Ref, Act: b.Ask.Acts[last], Before: b.Ask.Acts[:last], Version: b.Cases[n].Version, Key: b.key(n), Person: b.MadeBy,
		Reason: b.Ask.Reason, Unit: b.Ask.Unit, Supporting: b.Ask.Supporting, Target: b.Ask.Target, Verdict: b.Ask.Verdict, Object: b.Ask.Object}
}

// key is that of a case's act. It is the first one's of several; those of the others follow from it.
func (b *Batch) key(n int) uuid.UUID {
	return uuid.NewSHA1(uuid.UUID(b.ID), fmt.Appendf(nil, "batch %d", n))
}

// digest stands for what was sent, by which a retry is known.
func (b *Batch) digest() ([]byte, error) {
	content, err := json.Marshal(struct {
		Acts  []casework.Act
		Ask   Ask
		Cases []Case
	}{b.Ask.Acts, b.Ask, b.Cases})
	sum := sha256.Sum256(content)
	return sum[:], err
}

// Tally counts the outcomes.
func (b *Batch) Tally() (done, leftOut, failed int) {
	for i := range b.Cases {
		switch b.Cases[i].Outcome {
		case WasDone:
			done++
		case LeftOut:
			leftOut++
		case Failed:
			failed++
		}
	}
	return done, leftOut, failed
}

func (id ID) subject() string { return "batch:" + id.String() }
