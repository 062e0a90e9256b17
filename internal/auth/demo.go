package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// isTaken tells that another was quicker to make an account or a unit.
func isTaken(err error) bool {
	f, ok := fault.As(err)
	return ok && (f.Code == "account_exists" || f.Code == "unit_exists")
}

// demoUnit is one of the demo's units; its name begins with that of where it works.
type demoUnit struct {
	kind         policy.UnitKind
	level        policy.Level
	name, nameEN string
}

var demoUnits = []demoUnit{
	{policy.TownTeam, policy.Town, "综合行政执法队", "Enforcement Team"},
	{policy.LineDepartment, policy.City, "生态环境局", "Ecology and Environment Bureau"},
	{policy.EnforcementCommittee, policy.Town, "综合行政执法委员会", "Enforcement Committee"},
	{policy.EnforcementCommittee, policy.City, "综合行政执法委员会", "Enforcement Committee"},
	{policy.CommandCenter, policy.City, "综合指挥中心", "Command Centre"},
	{policy.XForce, policy.Town, "X力量联合队", "X Force"},
}

// demoPerson holds a role in a unit, or in the jurisdiction of a level. The names are made up.
type demoPerson struct {
	role  policy.Role
	name  string
	unit  policy.UnitKind
	level policy.Level // with a unit: of the unit, where there are several of the kind
	login string       // "": the role
}

func (p *demoPerson) loginName() string { return cmp.Or(p.login, string(p.role)) }

// CityCommittee is the login of a member of the committee of the whole city: the town's has its role for a login.
const CityCommittee = "city_committee"

var demoPeople = []demoPerson{
	{role: policy.Resident, name: "沈月梅", level: policy.City},
	{role: policy.Volunteer, name: "陆志愿", unit: policy.XForce},
	{role: policy.MicrogridLeader, name: "朱小琴", level: policy.Microgrid},
	{role: policy.GridLeader, name: "徐国强", level: policy.Grid},
	{role: policy.GridWorker, name: "王晓芳", level: policy.Grid},
	{role: policy.Auxiliary, name: "顾伟明", unit: policy.TownTeam},
	{role: policy.Officer, name: "李正平", unit: policy.TownTeam},
	{role: policy.UnitMember, name: "金丽华", unit: policy.LineDepartment},
	{role: policy.UnitHead, name: "陈建军", unit: policy.TownTeam},
	{role: policy.DutyLeader, name: "周海波", unit: policy.TownTeam},
	{role: policy.VillageSecretary, name: "张水根", level: policy.Village},
	{role: policy.StationedOfficer, name: "吴敏杰", level: policy.Village},
	{role: policy.Desk, name: "许静怡", unit: policy.CommandCenter},
	{role: policy.CentreHead, name: "马国平", unit: policy.CommandCenter},
	{role: policy.Planner, name: "俞文涛", level: policy.City},
	{role: policy.Committee, name: "范志刚", unit: policy.EnforcementCommittee},
	{role: policy.Committee, name: "周明德", unit: policy.EnforcementCommittee, level: policy.City, login: CityCommittee},
	{role: policy.TownLeader, name: "褚卫东", level: policy.Town},
	{role: policy.ProBonoLawyer, name: "方律文", unit: policy.XForce},
	{role: policy.Mediator, name: "钱和顺", unit: policy.XForce},
	{role: policy.Administrator, name: "章立新", level: policy.City},
}

func (d *DemoCity) area(l policy.Level) DemoArea {
	switch l {
	case policy.City:
		return d.City
	case policy.Town:
		return d.Town
	case policy.Village:
		return d.Village
	case policy.Grid:
		return d.Grid
	case policy.Microgrid:
		return d.Microgrid
	}
	return DemoArea{}
}

// MakeDemoAccounts makes one account a role, named like the role, in a city that is made up. What is there it leaves.
// Machines' roles get none: they do not sign in.
func (s *Service) MakeDemoAccounts(ctx context.Context, city DemoCity) error {
	if !s.cfg.Demo {
		return fault.Forbidden("not_a_demo", "demo accounts are made in cities that are made up, and nowhere else")
	}
	var err error
	for range 3 { // another node may be at it
		if err = s.makeDemoAccounts(ctx, city); !isTaken(err) {
			break
		}
	}
	return err
}

func (s *Service) makeDemoAccounts(ctx context.Context, city DemoCity) error {
	var missing []demoPerson
	for _, p := range demoPeople {
		if p.level != "" && city.area(p.level).Code == "" {
			continue
		}
		_, err := s.AccountNamed(ctx, p.loginName())
		if fault.Is(err, fault.KindNotFound) {
			missing = append(missing, p)
		} else if err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if f := checkPassword("demo account", city.Password); f != nil {
		return f
	}
	hash, err := s.hash(ctx, city.Password) // one for all: it is no secret
	if err != nil {
		return err
	}
	return s.transact(ctx, func(w *work) error {
		units, err := w.demoUnits(ctx, city)
		if err != nil {
			return err
		}
		for _, p := range missing {
			post := person.Post{Role: p.role, Begins: "2026-01-01"}
			if p.unit == "" {
				post.Area = policy.Area{Level: p.level, Code: city.area(p.level).Code}
			} else if post.Unit = units.of(p.unit, p.level); post.Unit == 0 {
				continue // the city has no level for the unit
			}
			if p.role == policy.Officer {
				post.Certificate, post.CertificateUntil = "DEMO-0001", "2199-12-31"
			}
			r := readyAccount{NewAccount: NewAccount{Login: p.loginName()}, hash: &hash, demo: true}
			if p.role == policy.StationedOfficer {
				post.Station = "deputy_secretary"
			}
			if _, err := w.holder(ctx, person.New{Name: p.name}, r, post); err != nil {
				return err
			}
		}
		return nil
	})
}

// demoUnits finds or makes the demo's units.
func (w *work) demoUnits(ctx context.Context, city DemoCity) (madeUnits, error) {
	ids := madeUnits{}
	for _, d := range demoUnits {
		a, level := city.area(d.level), d.level
		if a.Code == "" {
			a, level = city.City, policy.City
		}
		u := person.Unit{Kind: d.kind, Name: a.Name + d.name, NameEN: a.NameEN + " " + d.nameEN, Area: policy.Area{Level: level, Code: a.Code}}
		var id policy.UnitID
		err := w.tx.QueryRow(ctx, `SELECT id FROM unit WHERE kind = $1 AND name = $2 AND closed_at IS NULL`, u.Kind, u.Name).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			made, records, err := w.cfg.People.CreateUnitIn(ctx, w.tx, u)
			if err != nil {
				return nil, err
			}
			w.records = append(w.records, records...)
			id = made.ID
		} else if err != nil {
			return nil, fmt.Errorf("find unit: %w", err)
		}
		ids = append(ids, madeUnit{d.kind, level, id})
	}
	return ids, nil
}

// madeUnit is a demo's unit, by kind and level; madeUnits are all of them.
type (
	madeUnit struct {
		kind  policy.UnitKind
		level policy.Level
		id    policy.UnitID
	}
	madeUnits []madeUnit
)

// of is the first unit of a kind, and of a level where one is given; 0: there is none.
func (m madeUnits) of(kind policy.UnitKind, level policy.Level) policy.UnitID {
	for _, u := range m {
		if u.kind == kind && (level == "" || level == u.level) {
			return u.id
		}
	}
	return 0
}

// DemoAccounts lists the demo's accounts, in the order of the roles; none outside of a city that is made up.
func (s *Service) DemoAccounts(ctx context.Context) ([]DemoAccount, error) {
	if !s.cfg.Demo {
		return nil, nil
	}
	rows, err := s.cfg.Pool.Query(ctx, `
		SELECT a.login, o.role, p.name, coalesce(u.name, o.code)
		FROM account a JOIN person p ON p.id = a.person_id JOIN post o ON o.person_id = p.id LEFT JOIN unit u ON u.id = o.unit_id
		WHERE a.demo AND a.disabled_at IS NULL AND (o.role = a.login OR o.role = 'committee' AND a.login = '`+CityCommittee+`') ORDER BY a.login, o.id`)
	if err != nil {
		return nil, fmt.Errorf("list demo accounts: %w", err)
	}
	byRole := map[policy.Role][]DemoAccount{}
	var d DemoAccount
	if _, err := pgx.ForEachRow(rows, []any{&d.Login, &d.Role, &d.Name, &d.Place}, func() error {
		byRole[d.Role] = append(byRole[d.Role], d)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("list demo accounts: %w", err)
	}
	var list []DemoAccount
	for _, r := range policy.Roles {
		list = append(list, byRole[r]...)
	}
	return list, nil
}
