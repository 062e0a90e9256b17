package app

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/person"
	"gridgov/internal/photo"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// Staff is all that is held of somebody who works here, to be handed out.
type Staff struct {
	ID        uuid.UUID      `json:"id"`
	City      string         `json:"city"`
	CreatedAt time.Time      `json:"created_at"`
	ErasedAt  *time.Time     `json:"erased_at,omitempty"`
	Name      string         `json:"name"`
	Phone     string         `json:"phone,omitempty"`
	Email     string         `json:"email,omitempty"`
	Login     string         `json:"login,omitempty"` // none: no account
	Posts     []StaffPost    `json:"posts"`
	Sessions  []StaffSession `json:"sessions"`
	Reports   []report.Num   `json:"reports"`          // filed by the account
	Photos    []photo.ID     `json:"photos,omitempty"` // likewise uploaded
	Acts      []StaffAct     `json:"acts"`             // on record, the newest first
}

// StaffPost is a post, past and future ones too.
type StaffPost struct {
	Role             string     `json:"role"`
	Unit             string     `json:"unit,omitempty"`
	Level            string     `json:"level,omitempty"`
	Code             string     `json:"code,omitempty"`
	Begins           person.Day `json:"begins"`
	Ends             person.Day `json:"ends,omitempty"`
	Certificate      string     `json:"certificate,omitempty"`
	CertificateUntil person.Day `json:"certificate_until,omitempty"`
}

// StaffSession is a session that lasts.
type StaffSession struct {
	MadeAt  time.Time `json:"made_at"`
	SeenAt  time.Time `json:"seen_at"`
	Address string    `json:"address"`
	Agent   string    `json:"agent"`
}

// StaffAct is an act on record.
type StaffAct struct {
	At      time.Time `json:"at"`
	Act     string    `json:"act"`
	Subject string    `json:"subject"`
	Address string    `json:"address,omitempty"`
}

// actsPage is how many acts are read at once.
const actsPage = 1000

// ExportStaff gives all that is held of somebody who works here, with an account or without. It goes on record.
func (c *City) ExportStaff(ctx context.Context, id uuid.UUID) (Staff, error) {
	p, err := c.People.Get(ctx, id, nil)
	if err != nil {
		return Staff{}, err
	}
	s := Staff{ID: p.ID, City: c.Code, CreatedAt: p.CreatedAt.UTC(), ErasedAt: p.ErasedAt, Name: p.Name, Phone: p.Phone, Email: p.Email, Login: p.Login,
		Posts: []StaffPost{}, Sessions: []StaffSession{}, Acts: []StaffAct{}}
	for _, o := range p.Posts {
		s.Posts = append(s.Posts, StaffPost{string(o.Role), o.UnitName, string(o.Area.Level), o.Area.Code, o.Begins, o.Ends, o.Certificate, o.CertificateUntil})
	}
	sessions, err := c.Auth.Sessions(ctx, p.ID)
	if err != nil {
		return Staff{}, err
	}
	for _, o := range sessions {
		s.Sessions = append(s.Sessions, StaffSession{o.MadeAt.UTC(), o.SeenAt.UTC(), o.Address, o.Agent})
	}
	rows, err := c.Pool.Query(ctx, `SELECT num FROM report WHERE filed_by = $1 ORDER BY num`, p.ID)
	if err == nil {
		s.Reports, err = pgx.CollectRows(rows, pgx.RowTo[report.Num])
	}
	if err != nil {
		return Staff{}, fmt.Errorf("read whose account filed reports: %w", err)
	}
	if s.Photos, err = c.Photos.UploadedBy(ctx, p.ID); err != nil {
		return Staff{}, err
	}
	for before := int64(0); ; {
		page, err := audit.List(ctx, c.Pool, audit.Query{Person: p.ID, Before: before, Limit: actsPage})
		if err != nil {
			return Staff{}, err
		}
		for _, r := range page.Rows {
			s.Acts = append(s.Acts, StaffAct{r.At, r.Act, r.Subject, r.Address})
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	err = postgres.Transact(ctx, c.Pool, func(tx pgx.Tx) error {
		_, err := c.Writer.Append(ctx, tx, c.now().UTC(), nil, audit.Record{Act: "person.export", Subject: "person:" + p.ID.String()})
		return err
	})
	if err != nil {
		return Staff{}, err
	}
	return s, nil
}
