package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// errThere ends a transaction that finds nothing to do.
var errThere = errors.New("auth: there is an account")

// FirstLogin is the login of a city's first administrator.
const FirstLogin = "admin"

// FirstAdministrator makes the account admin with an administrator's post for the city, if the city has no account at
// all, and returns its one-time password. made is true on one of the nodes that ask at once.
func (s *Service) FirstAdministrator(ctx context.Context) (login, password string, made bool, err error) {
	login = FirstLogin
	none, err := s.noAccounts(ctx, s.cfg.Pool)
	if err != nil || !none {
		return login, "", false, err
	}
	ready, err := s.prepare(ctx, NewAccount{Login: login}, false)
	if err != nil {
		return login, "", false, err
	}
	err = s.transact(ctx, func(w *work) error {
		if none, err := s.noAccounts(ctx, w.tx); err != nil || !none {
			return errors.Join(err, errThere)
		}
		_, err := w.holder(ctx, person.New{Name: s.firstName()}, ready, person.Post{Role: policy.Administrator, Area: s.city()})
		return err
	})
	// Two nodes that both saw none want the same login: one gets it.
	if errors.Is(err, errThere) || isTaken(err) {
		return login, "", false, nil
	}
	if err != nil {
		return login, "", false, err
	}
	return login, ready.made, true, nil
}

// firstName is what the first administrator is called until they say who they are: in Chinese where the city's name is.
func (s *Service) firstName() string {
	if strings.ContainsFunc(s.cfg.Name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return "管理员"
	}
	return "Administrator"
}

func (s *Service) noAccounts(ctx context.Context, q person.Querier) (none bool, err error) {
	if err = q.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM account)`).Scan(&none); err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return none, nil
}

// city is the whole city as a jurisdiction.
func (s *Service) city() policy.Area {
	if s.cfg.Area != nil {
		return s.cfg.Area()
	}
	return policy.Area{Level: policy.City, Code: s.cfg.City}
}

// holder makes a person with an account and, with a role, a post, from today on unless it says another day.
func (w *work) holder(ctx context.Context, n person.New, r readyAccount, p person.Post) (uuid.UUID, error) {
	who, records, err := w.cfg.People.CreateIn(ctx, w.tx, n)
	if err != nil {
		return uuid.Nil, err
	}
	w.records = append(w.records, records...)
	if p.Role != "" {
		if err := w.give(ctx, who.ID, p); err != nil {
			return uuid.Nil, err
		}
	}
	r.Person = who.ID
	return who.ID, w.insertAccount(ctx, r)
}

// give gives a person a post, from today on unless it says another day.
func (w *work) give(ctx context.Context, who uuid.UUID, p person.Post) error {
	p.Person = who
	if p.Begins == "" {
		p.Begins = person.Day(w.at.In(w.cfg.People.Zone).Format(time.DateOnly))
	}
	_, records, err := w.cfg.People.CreatePostIn(ctx, w.tx, p)
	if err != nil {
		return err
	}
	w.records = append(w.records, records...)
	return nil
}
