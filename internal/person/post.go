package person

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// CreatePost gives a person a post. The same post twice at a time is a conflict.
func (s *Service) CreatePost(ctx context.Context, p Post) (out Post, err error) {
	err = s.transact(ctx, func(w *work) error {
		out, err = w.createPost(ctx, p)
		return err
	})
	return out, err
}

func (w *work) createPost(ctx context.Context, p Post) (Post, error) {
	holder, err := person(ctx, w.tx, p.Person, true)
	if err != nil {
		return Post{}, err
	}
	if holder.ErasedAt != nil {
		return Post{}, fault.Conflict("person_erased", "the person was erased and holds no posts")
	}
	var in *Unit
	if p.Unit != 0 {
		u, err := unit(ctx, w.tx, p.Unit, ` FOR SHARE`)
		if fault.Is(err, fault.KindNotFound) {
			return Post{}, fault.Invalid("unit", "unknown_unit", "there is no unit %d: see the list of units", p.Unit)
		} else if err != nil {
			return Post{}, err
		}
		in = &u
	}
	if f := checkPlace(p.Role, holder.Machine, in, p.Area); f != nil {
		return Post{}, f
	}
	if f := p.checkTerm(); f != nil {
		return Post{}, f
	}
	if in == nil {
		if f := checkText("code", p.Area.Code, 64, true); f != nil {
			return Post{}, f
		}
		if f := w.checkArea(p.Area); f != nil {
			return Post{}, f
		}
	}
	var unitID *policy.UnitID
	if in != nil {
		unitID = &in.ID
	}
	var id policy.PostID
	err = w.tx.QueryRow(ctx, `
		INSERT INTO post (person_id, role, unit_id, level, code, begins, ends, certificate, certificate_until, station, version)
		VALUES ($1, $2, $3, $4, $5, $6::text::date, $7::text::date, $8, $9::text::date, $10, 1) RETURNING id`,
		p.Person, p.Role, unitID, null(p.Area.Level), null(p.Area.Code), string(p.Begins), null(p.Ends), null(p.Certificate), null(p.CertificateUntil), null(p.Station)).Scan(&id)
	if err != nil {
		return Post{}, postFault(err, &p)
	}
	out, err := post(ctx, w.tx, id, false)
	if err != nil {
		return Post{}, err
	}
	w.record("post.create", subjectOf(p.Person), nil, out.record())
	return out, nil
}

func postFault(err error, p *Post) error {
	if state(err) == "23P01" { // exclusion_violation
		f := fault.Conflict("post_overlaps", "the person holds this post (%s, same place) on some of these days already: end that one first, or change its days", p.Role)
		f.Field = "begins"
		return f
	}
	return fmt.Errorf("write post: %w", err)
}

// ChangePost changes a post whose version is the one given, else it is a conflict, as it is (last_administrator) where nobody
// would administer the city any more: see KeepAdministratorIn.
func (s *Service) ChangePost(ctx context.Context, id policy.PostID, version int, c PostChange) (Post, error) {
	return s.changePost(ctx, id, version, c, "post.change")
}

// EndPost makes last the post's last day. A day before the first takes the post back: it is never held.
func (s *Service) EndPost(ctx context.Context, id policy.PostID, version int, last Day) (Post, error) {
	if last == "" {
		return Post{}, fault.Invalid("ends", "required", "give the post's last day, as 2026-12-31")
	}
	return s.changePost(ctx, id, version, PostChange{Ends: &last}, "post.end")
}

func (s *Service) changePost(ctx context.Context, id policy.PostID, version int, c PostChange, act string) (out Post, err error) {
	err = s.transact(ctx, func(w *work) error {
		p, err := w.lockPost(ctx, id)
		if err != nil {
			return err
		}
		if p.Version != version {
			return stale("post")
		}
		out, _, err = w.changePost(ctx, p, c, act)
		return err
	})
	return out, err
}

// lockPost holds a post, and an administrator's with all others.
func (w *work) lockPost(ctx context.Context, id policy.PostID) (Post, error) {
	p, err := post(ctx, w.tx, id, false)
	if err == nil && p.Role == policy.Administrator {
		err = lockAdministrators(ctx, w.tx)
	}
	if err != nil {
		return Post{}, err
	}
	return post(ctx, w.tx, id, true)
}

// changePost changes a post that is locked, and names what is another now. What would leave the city without an administrator
// is refused.
func (w *work) changePost(ctx context.Context, p Post, c PostChange, act string) (out Post, changed []string, err error) {
	out = p
	set(&out.Begins, c.Begins)
	set(&out.Ends, c.Ends)
	set(&out.Certificate, c.Certificate)
	set(&out.CertificateUntil, c.CertificateUntil)
	set(&out.Station, c.Station)
	out.Certificate = strings.TrimSpace(out.Certificate)
	if _, f := out.Ends.check("ends"); f != nil {
		return out, nil, f
	}
	if act == "post.end" && out.Ends < out.Begins { // it never was
		out.Ends = out.Begins.plus(-1)
	}
	if f := out.checkTerm(); f != nil {
		return out, nil, f
	}
	for _, f := range []struct {
		field string
		other bool
	}{{"begins", out.Begins != p.Begins}, {"ends", out.Ends != p.Ends}, {"certificate", out.Certificate != p.Certificate},
		{"certificate_until", out.CertificateUntil != p.CertificateUntil}, {"station", out.Station != p.Station}} {
		if f.other {
			changed = append(changed, f.field)
		}
	}
	if len(changed) == 0 {
		return out, nil, nil
	}
	if p.Unit != 0 && slices.Contains(changed, "ends") { // a closed unit gets no posts back
		u, err := unit(ctx, w.tx, p.Unit, ` FOR SHARE`)
		if err != nil {
			return out, nil, err
		}
		if u.ClosedAt != nil && (out.Ends == "" || p.Ends != "" && out.Ends > p.Ends) {
			return out, nil, fault.Conflict("unit_closed", "the post's unit is closed: the post cannot last longer")
		}
	}
	if w.Needed != nil && (out.Begins != p.Begins || out.CertifiedUntil() != p.CertifiedUntil()) {
		if err := w.Needed(ctx, w.tx, p.ID, out.Begins, out.CertifiedUntil()); err != nil {
			return out, nil, err
		}
	}
	write := func() error {
		_, err := w.tx.Exec(ctx, `
			UPDATE post SET begins = $2::text::date, ends = $3::text::date, certificate = $4, certificate_until = $5::text::date, station = $6, version = version + 1 WHERE id = $1`,
			p.ID, string(out.Begins), null(out.Ends), null(out.Certificate), null(out.CertificateUntil), null(out.Station))
		if err != nil {
			return postFault(err, &out)
		}
		return nil
	}
	if p.Role == policy.Administrator && !w.erasing {
		err = w.KeepAdministratorIn(ctx, w.tx, write)
	} else {
		err = write()
	}
	if err != nil {
		return out, nil, err
	}
	out.Version++
	w.record(act, subjectOf(p.Person), p.record(), out.record())
	return out, changed, nil
}
