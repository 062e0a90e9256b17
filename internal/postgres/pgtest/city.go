package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/postgres"
	"gridgov/migrations"
)

// CityCode is the code of the city that City gives.
const CityCode = "testcity"

// City returns a fresh database that holds one migrated city with all five levels, in Asia/Shanghai and EPSG:4549: the
// owner's pool, which sees the city's schema first, the pool of the city's role as the product serves with it, and the
// city's code.
func City(t testing.TB) (owner, city *pgxpool.Pool, code string) {
	t.Helper()
	db, _ := Database(t)
	info, err := db.City(context.Background(), CityCode)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if city, err = db.CityPool(context.Background(), info); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	cfg, err := pgxpool.ParseConfig(db.URL())
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	cfg.ConnConfig.RuntimeParams["search_path"] = CityCode + ", public"
	return open(t, cfg), city, CityCode
}

// Database returns the fresh database of City whole, as the product opens it, and the city.
func Database(t testing.TB) (*postgres.Database, postgres.City) {
	t.Helper()
	ctx := context.Background()
	tpl, err := cityTemplate()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	db, err := postgres.Connect(ctx, fresh(t, tpl), postgres.Options{})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { closeInTime(t, db.Close) })
	city, err := db.City(ctx, CityCode)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return db, city
}

// cityTemplate is named after the migrations' content, so that a server that outlives the tests never gives an old one.
func cityTemplate() (template, error) {
	hash := sha256.New()
	for _, files := range []fs.FS{migrations.Registry(), migrations.City()} {
		names, err := fs.Glob(files, "*.sql")
		if err != nil {
			return template{}, err
		}
		for _, name := range names {
			b, err := fs.ReadFile(files, name)
			if err != nil {
				return template{}, err
			}
			hash.Write(b)
		}
	}
	return template{name: "gridgov_test_city_" + hex.EncodeToString(hash.Sum(nil)[:5]), fill: fillCity}, nil
}

func fillCity(ctx context.Context, url string) error {
	db, err := postgres.Connect(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	levels, err := postgres.ParseLevels(postgres.DefaultLevels)
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx, nil); err != nil {
		return err
	}
	_, err = db.CreateCity(ctx, postgres.City{Code: CityCode, Name: "Test city", Timezone: "Asia/Shanghai", SRID: 4549,
		Levels: levels, CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	return err
}
