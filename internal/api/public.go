package api

import (
	"net/http"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/tiles"
)

const monthLayout = "2006-01"

func (a *api) getPublicHeat(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	out := PublicHeat{Url: scheme(r) + "://" + r.Host + "/" + c.Code + "/v1/public/heat/{month}/{z}/{x}/{y}", Months: []string{},
		Until: utc(c.PublicUntil()), Least: app.PublicLeast, MaxZoom: cube.PublishedZoom}
	for _, m := range c.PublicMonths() {
		out.Months = append(out.Months, m.Format(monthLayout))
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) getPublicHeatTile(w http.ResponseWriter, r *http.Request, c *call) error {
	addr, err := tiles.ParseAddress(r.PathValue("z"), r.PathValue("x"), r.PathValue("y"))
	if err != nil {
		return err
	}
	if addr.Z > cube.PublishedZoom {
		return fault.NotFound("the public heat ends at zoom %d", cube.PublishedZoom)
	}
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	month, err := time.ParseInLocation(monthLayout, r.PathValue("month"), c.Zone)
	if err != nil {
		return fault.NotFound("%.20q is no month such as 2026-11", r.PathValue("month"))
	}
	published, ok := c.PublicHeat(month)
	if !ok {
		return fault.NotFound("the public heat does not have the month %s", month.Format(monthLayout))
	}
	buf := tileBuffers.Get().(*tileBuffer)
	defer tileBuffers.Put(buf)
	buf.raw = c.Maker.PublicHeat(buf.raw[:0], published, addr)
	cache := "private, no-cache"
	if c.actor.Public {
		cache = "public, max-age=3600"
	}
	sendMade(w, r, buf, cache)
	return nil
}
