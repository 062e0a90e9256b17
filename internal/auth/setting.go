package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
)

// Settings reads the city's settings.
func (s *Service) Settings(ctx context.Context) (set Settings, err error) {
	err = s.cfg.Pool.QueryRow(ctx, `
		SELECT coalesce((SELECT g.value = 'true' FROM setting g WHERE g.key = 'require_totp_admin'), false),
			coalesce((SELECT g.value = 'true' FROM setting g WHERE g.key = 'public_map'), false),
			coalesce((SELECT g.value = 'true' FROM setting g WHERE g.key = 'resident_reports'), false)`).
		Scan(&set.RequireTOTPAdmin, &set.PublicMap, &set.ResidentReports)
	if err != nil {
		return set, fmt.Errorf("read settings: %w", err)
	}
	return set, nil
}

// SetSettings writes them.
func (s *Service) SetSettings(ctx context.Context, set Settings) error {
	return s.transact(ctx, func(w *work) error {
		for key, value := range map[string]bool{"require_totp_admin": set.RequireTOTPAdmin, "public_map": set.PublicMap, "resident_reports": set.ResidentReports} {
			var before bool
			err := w.tx.QueryRow(ctx, `SELECT value = 'true' FROM setting WHERE key = $1 FOR UPDATE`, key).Scan(&before)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("read setting: %w", err)
			}
			if before == value {
				continue
			}
			_, err = w.exec(ctx, "write setting", `INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
			if err != nil {
				return err
			}
			w.people = true
			w.records = append(w.records, audit.Record{Act: "setting.change", Subject: "setting:" + key, Before: before, After: value})
		}
		return nil
	})
}
