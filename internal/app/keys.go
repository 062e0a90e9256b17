package app

import (
	"context"

	"gridgov/internal/audit"
	"gridgov/internal/postgres"
)

// KeysInUse tells whether a city holds something that was written with a key. A city that cannot be asked may.
func KeysInUse(ctx context.Context, db *postgres.Database) (bool, error) {
	cities, err := db.Cities(ctx)
	if err != nil {
		return false, err
	}
	for _, info := range cities {
		pool, err := db.CityPool(ctx, info)
		if err != nil {
			return true, ctx.Err()
		}
		if used, err := audit.HasKeys(ctx, pool); err != nil || used {
			return true, ctx.Err()
		}
	}
	return false, nil
}
