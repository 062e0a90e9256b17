package api

import (
	"context"

	"github.com/google/uuid"

	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// casePhotos are the photos of a case as far as who asks may see them: those of the report itself, and the evidence of the
// case's acts; of the report's own case that of its parts, too. Who told a report and has no other part in it sees what came
// with the report, not what those who work with it show each other.
func (c *call) casePhotos(ctx context.Context, m *matter) ([]CasePhoto, error) {
	out := []CasePhoto{}
	if m.sight == partly {
		return out, nil
	}
	all, err := c.Photos.OfReport(ctx, m.Report)
	if err != nil || len(all) == 0 {
		return out, err
	}
	view, original := c.may(policy.PhotoView), c.may(policy.PhotoOriginal)
	subjects, err := c.Subjects(ctx, []report.Report{m.rep}, &view, &original)
	if err != nil || view.Covers(&subjects[0]) != policy.Whole {
		return out, err
	}
	for i := range all {
		p := &all[i]
		if p.N != 0 && (m.sight != inWhole || m.Part > 0 && p.Part != m.Part) {
			continue
		}
		d := photo.Compare(&p.Facts, m.rep.CapturedAt, pointOf(&m.rep))
		out = append(out, CasePhoto{Id: uuid.UUID(p.ID), Part: p.Part, Act: p.N, At: utc(p.UsedAt), TakenAt: moment(p.Facts.TakenAt),
			Said: BothWords{Zh: d.ZH, En: d.EN}, Original: optional(original.Covers(&subjects[0]) == policy.Whole)})
	}
	return out, nil
}
