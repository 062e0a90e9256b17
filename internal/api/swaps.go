package api

import (
	"net/http"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

// leaveOf tells of leave; why it is taken is told to who plans and to whose it is.
func (c *call) leaveOf(l *team.Leave, n names, plans bool) Leave {
	out := Leave{Id: int(l.ID), Person: n.of(l.Person), From: utc(l.From), To: utc(l.To), Granted: l.Granted}
	if plans || c.who != nil && c.who.Person == l.Person {
		out.Kind = new(string(l.Kind))
	}
	return out
}

func (c *call) swapOf(s *team.Swap, n names) Swap {
	out := Swap{Id: int(s.ID), Unit: new(int(s.Unit)), Person: n.of(s.Person), From: utc(s.From), To: utc(s.To), Other: n.of(s.Other), State: string(s.State), AskedAt: utc(s.AskedAt),
		AnsweredAt: moment(s.AnsweredAt), OtherFrom: moment(s.OtherSpan.From), OtherTo: moment(s.OtherSpan.To)}
	if s.Shift != 0 {
		out.Shift = new(int(s.Shift))
	}
	if s.OtherShift != 0 {
		out.OtherShift = new(int(s.OtherShift))
	}
	switch {
	case c.who == nil:
	case c.who.Person == s.Other:
		out.Mine = "asked"
	case c.who.Person == s.Person:
		out.Mine = "asks"
	}
	return out
}

func (c *call) writeSwap(w http.ResponseWriter, r *http.Request, status int, s *team.Swap) error {
	n, err := c.People.Names(r.Context(), []uuid.UUID{s.Person, s.Other})
	if err != nil {
		return err
	}
	return writeJSON(w, status, c.swapOf(s, n))
}

func (a *api) askSwap(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewSwap
	of, err := c.asked(r, policy.DutyOwn, &in)
	if err != nil {
		return err
	}
	other := 0
	if in.OtherShift != nil {
		if other = *in.OtherShift; other <= 0 || other == in.Shift {
			return fault.Invalid("other_shift", "not_theirs", "is no shift of the colleague in this unit")
		}
	}
	s, err := c.Teams.AskSwap(r.Context(), of.ID, c.who.Person, team.ShiftID(in.Shift), in.Other, team.ShiftID(other))
	if err != nil {
		return err
	}
	return c.writeSwap(w, r, http.StatusCreated, &s)
}

func (a *api) answerSwap(w http.ResponseWriter, r *http.Request, c *call) error {
	var in SwapAnswer
	of, err := c.asked(r, policy.DutyOwn, &in)
	if err != nil {
		return err
	}
	id, err := thing(r, "swap")
	if err != nil {
		return err
	}
	s, err := c.Teams.AnswerSwap(r.Context(), of.ID, c.who.Person, team.SwapID(id), in.Accept)
	if err != nil {
		return err
	}
	return c.writeSwap(w, r, http.StatusOK, &s)
}

func (a *api) withdrawSwap(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.DutyOwn, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "swap")
	if err != nil {
		return err
	}
	return noContent(w, c.Teams.WithdrawSwap(r.Context(), of.ID, c.who.Person, team.SwapID(id)))
}

func (a *api) askLeave(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewLeave
	of, err := c.asked(r, policy.TeamView, &in)
	if err != nil {
		return err
	}
	l := team.Leave{Unit: of.ID, Person: c.who.Person, Kind: team.LeaveKind(in.Kind), Span: team.Span{From: in.From, To: in.To}}
	switch {
	case in.Person == nil || *in.Person == l.Person:
		if !of.mine {
			return fault.Forbidden("not_allowed", "you do not work in this unit")
		}
	case !of.plans:
		return fault.Forbidden("not_allowed", "leave of colleagues is granted by who plans the roster")
	default:
		l.Person, l.Granted = *in.Person, true
	}
	if l, err = c.Teams.AskLeave(r.Context(), l); err != nil {
		return err
	}
	return c.writeLeave(w, r, http.StatusCreated, &of, &l)
}

func (c *call) writeLeave(w http.ResponseWriter, r *http.Request, status int, of *crew, l *team.Leave) error {
	n, err := c.People.Names(r.Context(), []uuid.UUID{l.Person})
	if err != nil {
		return err
	}
	return writeJSON(w, status, c.leaveOf(l, n, of.plans))
}

func (a *api) grantLeave(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.RosterEdit, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "leave")
	if err != nil {
		return err
	}
	l, err := c.Teams.GrantLeave(r.Context(), of.ID, team.LeaveID(id))
	if err != nil {
		return err
	}
	return c.writeLeave(w, r, http.StatusOK, &of, &l)
}

func (a *api) removeLeave(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.TeamView, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "leave")
	if err != nil {
		return err
	}
	by := c.who.Person // one's own alone, while it is asked for
	switch {
	case of.plans:
		by = uuid.Nil
	case !of.mine:
		return fault.Forbidden("not_allowed", "leave is refused by who plans the roster")
	}
	return noContent(w, c.Teams.RemoveLeave(r.Context(), of.ID, team.LeaveID(id), by))
}
