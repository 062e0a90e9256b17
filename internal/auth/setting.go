package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
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
	return s.ChangeSettings(ctx, map[string]bool{"require_totp_admin": set.RequireTOTPAdmin, "public_map": set.PublicMap, "resident_reports": set.ResidentReports})
}

// SettingKeys are the settings that are on or off, as the record of acts names them.
var SettingKeys = []string{"public_map", "resident_reports", "require_totp_admin"}

// ChangeSettings writes some of them; the others stay, whoever changes them meanwhile. A key that there is not is the fault
// unknown_setting.
func (s *Service) ChangeSettings(ctx context.Context, set map[string]bool) error {
	for key := range set {
		if !slices.Contains(SettingKeys, key) {
			return fault.Invalid("setting", "unknown_setting", "there is no setting %.60q: use some of %s", key, strings.Join(SettingKeys, ", "))
		}
	}
	return s.transact(ctx, func(w *work) error {
		for _, key := range SettingKeys { // in one order: two who change several must not wait for each other
			value, ok := set[key]
			if !ok {
				continue
			}
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
