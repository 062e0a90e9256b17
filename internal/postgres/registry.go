package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/migrations"
)

// citiesChannel is what CreateCity notifies.
const citiesChannel = "gridgov_cities"

const cityColumns = "code, name, timezone, srid, levels, generated, demo, role, coalesce(conn, ''), created_at"

func scanCity(row pgx.CollectableRow) (c City, err error) {
	err = row.Scan(&c.Code, &c.Name, &c.Timezone, &c.SRID, &c.Levels, &c.Generated, &c.Demo, &c.Role, &c.Conn, &c.CreatedAt)
	return c, err
}

// Cities returns all cities by code.
func (d *Database) Cities(ctx context.Context) ([]City, error) {
	rows, err := d.owner.Query(ctx, "SELECT "+cityColumns+" FROM registry.city ORDER BY code")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanCity)
}

// City returns one city; a code that no city has is a fault of kind NotFound.
func (d *Database) City(ctx context.Context, code string) (City, error) {
	rows, err := d.owner.Query(ctx, "SELECT "+cityColumns+" FROM registry.city WHERE code = $1", code)
	if err != nil {
		return City{}, err
	}
	city, err := pgx.CollectExactlyOneRow(rows, scanCity)
	if errors.Is(err, pgx.ErrNoRows) {
		return City{}, fault.NotFound("there is no city %.60q: gridgov city create makes one", code)
	}
	return city, err
}

// WatchCities calls seen with all cities at once and again whenever the list has changed, until ctx ends. It listens for
// CreateCity and looks every interval besides, as a notification may be lost and a replica gives none. A database that is
// away for a while ends nothing; failed, when given, is told.
func (d *Database) WatchCities(ctx context.Context, interval time.Duration, seen func([]City), failed func(error)) {
	var listener *pgxpool.Conn
	defer func() { unlisten(listener) }()
	var last []City
	for first := true; ctx.Err() == nil; {
		if listener == nil {
			listener = d.listen(ctx)
		}
		cities, err := d.Cities(ctx)
		switch {
		case err != nil:
			if failed != nil && ctx.Err() == nil {
				failed(err)
			}
		case first || !slices.EqualFunc(cities, last, sameCity):
			first, last = false, cities
			seen(cities)
		}
		wait, cancel := context.WithTimeout(ctx, interval)
		if listener != nil {
			_, err = listener.Conn().WaitForNotification(wait)
			if err != nil && wait.Err() == nil { // the connection is lost: look every interval until there is another
				unlisten(listener)
				listener = nil
			}
		}
		if listener == nil {
			<-wait.Done()
		}
		cancel()
	}
}

// listen returns a connection that is told of new cities, or nil where there is none to be had.
func (d *Database) listen(ctx context.Context) *pgxpool.Conn {
	conn, err := d.owner.Acquire(ctx)
	if err != nil {
		return nil
	}
	if _, err := conn.Exec(ctx, "LISTEN "+citiesChannel); err != nil {
		conn.Release()
		return nil
	}
	return conn
}

func unlisten(conn *pgxpool.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "UNLISTEN *"); err != nil {
		_ = conn.Conn().Close(ctx) // the pool throws closed connections away
	}
	conn.Release()
}

func sameCity(a, b City) bool {
	return a.Code == b.Code && a.Name == b.Name && a.Timezone == b.Timezone && a.SRID == b.SRID && a.Generated == b.Generated && a.Demo == b.Demo &&
		a.Role == b.Role && a.Conn == b.Conn && slices.Equal(a.Levels, b.Levels)
}

// CreateCity checks the city and makes it whole or not at all: its row in the registry, the role it is served by and
// its schema, migrated. It returns the city with Role, which is chosen here, and CreatedAt, which is now unless given.
func (d *Database) CreateCity(ctx context.Context, city City) (City, error) {
	return d.createCityAt(ctx, city, latest)
}

func (d *Database) createCityAt(ctx context.Context, city City, version int) (City, error) {
	if err := d.checkCity(ctx, city); err != nil {
		return City{}, err
	}
	if city.CreatedAt.IsZero() {
		city.CreatedAt = time.Now()
	}
	conn, err := connectTo(ctx, d.ownerURL(city), city.Code)
	if err != nil {
		return City{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // rolls back what is not committed
	// The registry's lock first: who migrates it changes the rights on the schema public, as this does, and PostgreSQL lets one
	// of two who do it at once fail.
	for _, schema := range []string{registrySchema, city.Code} {
		if err := lockSchema(ctx, conn, schema); err != nil {
			return City{}, err
		}
	}
	err = pgx.BeginFunc(ctx, d.owner, func(tx pgx.Tx) error {
		return pgx.BeginFunc(ctx, conn, func(there pgx.Tx) error {
			return createCity(ctx, tx, there, conn, &city, version)
		})
	})
	return city, err
}

// createCity writes the registry in tx and the schema in there, which conn carries. there commits first: should the
// registry then fail, the schema that is left over is named by the next attempt.
func createCity(ctx context.Context, tx, there pgx.Tx, conn *pgx.Conn, city *City, version int) error {
	password := rand.Text()
	var err error
	if city.Role, err = createRole(ctx, there, city.Code, password); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO registry.city (code, name, timezone, srid, levels, generated, demo, role, conn, created_at)
		VALUES (@code, @name, @timezone, @srid, @levels, @generated, @demo, @role, nullif(@conn, ''), @created_at)`,
		pgx.NamedArgs{"code": city.Code, "name": city.Name, "timezone": city.Timezone, "srid": city.SRID, "levels": city.Levels,
			"generated": city.Generated, "demo": city.Demo, "role": city.Role, "conn": city.Conn, "created_at": city.CreatedAt})
	if state(err) == "23505" { // unique_violation
		return fault.Conflict("city_exists", "there is a city %s already", city.Code)
	} else if err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, "INSERT INTO registry.login (role, password) VALUES ($1, $2)", city.Role, password); err != nil {
		return err
	}
	_, err = there.Exec(ctx, "CREATE SCHEMA "+ident(city.Code))
	if state(err) == "42P06" { // duplicate_schema
		return fault.Conflict("schema_exists", "the database has a schema %s that belongs to no city: rename or drop it, or choose another code", city.Code)
	} else if err != nil {
		return err
	}
	if _, err = there.Exec(ctx, "GRANT USAGE ON SCHEMA "+ident(city.Code)+", public TO "+ident(city.Role)); err != nil {
		return err
	}
	if _, err = migrateSchema(ctx, conn, city.Code, migrations.City(), cityData(*city), version); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "SELECT pg_notify($1, $2)", citiesChannel, city.Code)
	return err
}

// createRole makes the role that serves the city and returns its name: gridgov_CODE, or where another database on the
// server has that one (roles are the server's), gridgov_CODE_ and six random digits.
func createRole(ctx context.Context, tx pgx.Tx, code, password string) (string, error) {
	name := "gridgov_" + code
	for range 5 {
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return makeRole(ctx, tx, name, password) })
		switch state(err) {
		case "42710", "23505": // duplicate_object; the same seen by two transactions at once
		case "42501": // insufficient_privilege
			return "", fault.Forbidden("no_create_role", "the database's owner may not make roles: grant it CREATEROLE")
		default:
			return name, err
		}
		var digits [3]byte
		_, _ = rand.Read(digits[:]) // never fails
		name = "gridgov_" + code + "_" + hex.EncodeToString(digits[:])
	}
	return "", fmt.Errorf("five names for the role of city %s were taken", code)
}

func makeRole(ctx context.Context, tx pgx.Tx, name, password string) error {
	verifier, err := scramVerifier(password)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf("CREATE ROLE %s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '%s'", ident(name), verifier))
	return err
}

var cityNamePattern = regexp.MustCompile(`^[^\p{Cc}]{1,100}$`)

func (d *Database) checkCity(ctx context.Context, city City) error {
	if err := CheckCode(city.Code); err != nil {
		return err
	}
	if !cityNamePattern.MatchString(city.Name) || strings.TrimSpace(city.Name) == "" {
		return fault.Invalid("name", "bad_name", "the city needs a name of 1 to 100 characters")
	}
	if err := city.Levels.check(); err != nil {
		return err
	}
	if err := d.checkTimezone(ctx, city.Timezone); err != nil {
		return err
	}
	return d.checkSRID(ctx, city.SRID)
}

// checkTimezone asks both who must know the zone: the program and the server.
func (d *Database) checkTimezone(ctx context.Context, zone string) error {
	bad := fault.Invalid("timezone", "unknown_timezone", "%.60q is no time zone: use a name of the tz database such as Asia/Shanghai", zone)
	if zone == "" || zone == "Local" {
		return bad
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return bad
	}
	var known bool
	if err := d.owner.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", zone).Scan(&known); err != nil {
		return err
	}
	if !known {
		return bad
	}
	return nil
}

// checkSRID wants a projected system whose metres are metres: Mercator's are stretched by 1/cos(latitude).
func (d *Database) checkSRID(ctx context.Context, srid int) error {
	var proj string
	err := d.owner.QueryRow(ctx, "SELECT coalesce(proj4text, '') FROM spatial_ref_sys WHERE srid = $1", srid).Scan(&proj)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Invalid("srid", "unknown_srid", "PostGIS knows no coordinate system %d: give the EPSG code of the city's projected system, such as 4549", srid)
	case err != nil:
		return err
	}
	params := strings.Fields(proj)
	if slices.Contains(params, "+proj=longlat") || slices.Contains(params, "+proj=geocent") || !slices.Contains(params, "+units=m") {
		return fault.Invalid("srid", "srid_not_metric", "EPSG:%d does not measure in metres on a plane: give the city's projected system, such as 4549", srid)
	}
	if slices.Contains(params, "+proj=merc") || slices.Contains(params, "+proj=webmerc") {
		return fault.Invalid("srid", "srid_distorts", "EPSG:%d is a Mercator projection, whose metres are stretched away from the equator: give the city's own projected system, such as 4549", srid)
	}
	return nil
}
