package app

import (
	"context"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
)

// Progress is told how far long work has come; total is 0 when it is not known.
type Progress func(done, total int64)

// Told is what the caller of an import wants to hear of the file. All may be nil.
type Told struct {
	Opened func(columns []string) // the file was opened; the names of Reject's fields
	Reject func(Reject)           // each row that is left out, in no fixed order, never twice at once
	Note   func(string)           // what was found out or passed over, once each, when all was read
}

// Reject is a row that was left out.
type Reject struct {
	Reason *fault.Error // with its line
	Fields []string     // as they stand in the file, of a boundary its code; may be too few, too many or nil
}

func (t Told) opened(columns []string) {
	if t.Opened != nil {
		t.Opened(columns)
	}
}

func (t Told) reject(r Reject) {
	if t.Reject != nil {
		t.Reject(r)
	}
}

func (t Told) notes(encoding string, notes []string) {
	if t.Note == nil {
		return
	}
	if encoding != "UTF-8" {
		t.Note("the text was read as " + encoding)
	}
	for _, n := range notes {
		t.Note(n)
	}
}

// system reads the name of a coordinate system, and asks PROJ whether it knows it; "" is the zero System.
func (c *City) system(ctx context.Context, name string) (crs.System, error) {
	if name == "" {
		return 0, nil
	}
	sys, err := crs.Parse(name)
	if err == nil && sys.NeedsProj() {
		_, err = c.proj.Degrees(ctx, sys.EPSG())
	}
	return sys, err
}

// declared is the system that a file says it is in.
func (c *City) declared(ctx context.Context, name string) (crs.System, error) {
	sys, err := c.system(ctx, name)
	if fault.Is(err, fault.KindInvalid) {
		return 0, fault.Invalid("crs", "wrong_crs", "the file says that it is in %.60q, which is of no use: name its system with --crs", name)
	}
	return sys, err
}
