package postgres

import (
	"context"
	"io/fs"
)

// EventsPerPartition is for tests.
const EventsPerPartition = eventsPerPartition

// CreateCityAt makes a city as a program of an earlier version made it.
func (d *Database) CreateCityAt(ctx context.Context, city City, version int) (City, error) {
	return d.createCityAt(ctx, city, version)
}

// MigrateFiles applies other steps than the product's to a schema.
func (d *Database) MigrateFiles(ctx context.Context, schema string, files fs.FS) (Migrated, error) {
	conn, err := connectTo(ctx, d.url, schema)
	if err != nil {
		return Migrated{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return migrateSchema(ctx, conn, schema, files, nil, latest)
}

// ReadArchive reads a backup without restoring it.
func ReadArchive(path string) (Manifest, error) { return readArchive(path, nil) }
