package apptest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/assign"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
)

// Subject is a report as rights see it, with the units of its case.
func Subject(t testing.TB, c *app.City, r *report.Report) policy.Subject {
	t.Helper()
	list, err := c.Subjects(t.Context(), []report.Report{*r}, &policy.Reach{Units: []policy.UnitID{0}})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// Rules puts rules of assignment in force from the city's now on, and has the city know its units as they are.
func Rules(t testing.TB, c *app.City, rules ...assign.Rule) {
	t.Helper()
	PublishRegime(t, c, regime.Rules, assign.Rules{Rules: rules})
}

// PublishRegime puts a document in force from the city's now on.
func PublishRegime(t testing.TB, c *app.City, kind regime.Kind, content any) {
	t.Helper()
	b, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Regimes.Save(t.Context(), kind, b, regime.Seen{}, uuid.Nil)
	if err == nil {
		_, err = c.Regimes.Publish(t.Context(), kind, regime.Seen{ID: d.ID, Edits: d.Edits}, time.Time{})
	}
	if err == nil {
		err = c.LoadDesk(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Photo is a photo of the person's that is ready, without its files.
func Photo(t testing.TB, c *app.City, person uuid.UUID) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := c.Pool.Exec(t.Context(), `
		INSERT INTO photo (id, uploaded_by, state, length, received, made_at, changed_at, mime, width, height)
		VALUES ($1, $2, 'ready', 1, 1, $3, $3, 'image/jpeg', 1, 1)`, id, person, Now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Voice is a voice note of the person's that is ready, without its file.
func Voice(t testing.TB, c *app.City, person uuid.UUID) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := c.Pool.Exec(t.Context(), `
		INSERT INTO photo (id, kind, uploaded_by, state, length, received, made_at, changed_at, mime, ms)
		VALUES ($1, 'voice', $2, 'ready', 1, 1, $3, $3, 'audio/webm', 4200)`, id, person, Now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
