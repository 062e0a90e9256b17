package app

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
)

// ListUnder is the one-stop list that a case was opened under. A published one never changes, so it is kept once it was read.
func (c *City) ListUnder(ctx context.Context, id regime.ID) (*catalogue.Catalogue, error) {
	if r := c.Regime(); r.CatalogueID == id {
		return r.Catalogue, nil
	}
	if known, ok := c.lists.Load(id); ok {
		return known.(*catalogue.Catalogue), nil
	}
	d, err := c.Regimes.Get(ctx, regime.Catalogue, id)
	if err != nil {
		return nil, err
	}
	list, err := catalogue.Parse(d.Content)
	if err == nil {
		c.lists.Store(id, list)
	}
	return list, err
}

// termsOf are what holds for a case: the list that it was opened under, by the calendar in force now.
func (c *City) termsOf(ctx context.Context, k *casework.Case) (*casework.Terms, error) {
	list, err := c.ListUnder(ctx, k.CatalogueID)
	if err != nil {
		return nil, err
	}
	return casework.TermsOf(&regime.Regime{Catalogue: list, Calendar: c.Regime().Calendar}, k.Item), nil
}

// useEvidence links photos to the act of a case.
func (c *City) useEvidence(ctx context.Context, tx pgx.Tx, by uuid.UUID, of casework.Ref, n int, photos []uuid.UUID) error {
	ids := make([]photo.ID, len(photos))
	for i, id := range photos {
		ids[i] = photo.ID(id)
	}
	err := c.Photos.Use(ctx, tx, by, photo.Use{Report: of.Report, Part: of.Part, N: n}, ids...)
	if f, ok := fault.As(err); ok && f.Field == "photos" {
		return fault.Invalid("evidence", f.Code, "%s", f.Message)
	}
	return err
}

// Subjects are reports as rights see them. Which units lead or support their cases is asked where a reach goes by units.
func (c *City) Subjects(ctx context.Context, reports []report.Report, reaches ...*policy.Reach) ([]policy.Subject, error) {
	out := make([]policy.Subject, len(reports))
	nums := make([]report.Num, len(reports))
	for i := range reports {
		out[i], nums[i] = c.subjectOf(&reports[i]), reports[i].Num
	}
	if !slices.ContainsFunc(reaches, func(r *policy.Reach) bool { return len(r.Units) > 0 }) {
		return out, nil
	}
	units, err := c.Cases.UnitsOf(ctx, nums)
	for i := range out {
		out[i].Units = units[nums[i]]
	}
	return out, err
}
