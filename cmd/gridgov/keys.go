package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gridgov/internal/app"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
)

// loadKeys reads the key file, and makes one where nothing was written with a key yet. Without one work goes on as far as it
// can: a key that is lost cannot be made again.
func (t *tool) loadKeys(ctx context.Context, db *postgres.Database) error {
	path := t.keyFile
	if path == "" {
		path = filepath.Join(t.data, "keys")
	}
	ring, err := keyring.Open(path)
	if errors.Is(err, keyring.ErrMissing) {
		var used bool
		if used, err = app.KeysInUse(ctx, db); err != nil {
			return err
		}
		if used {
			t.say("the key file %s is missing: personal data cannot be read, and acts are put on record without a key, until its copy is back in its place", path)
			return nil
		}
		ring, err = t.makeKeys(path)
	}
	if err != nil {
		return err
	}
	t.keys = ring
	return nil
}

func (t *tool) makeKeys(path string) (*keyring.Ring, error) {
	if t.keyFile == "" { // another folder than the data's own is the user's to make
		if err := os.MkdirAll(t.data, 0o750); err != nil {
			return nil, err
		}
	}
	ring, err := keyring.Create(path)
	if errors.Is(err, fs.ErrExist) { // by another process, at the same time
		return keyring.Open(path)
	}
	if err != nil {
		t.say("no key file could be made (%v): personal data cannot be kept, and acts are put on record without a key; name a place for it with --key-file", err)
		return nil, nil //nolint:nilnil // no ring is a ring without keys
	}
	t.say("a new key file is in %s: keep a copy of it, apart from the backups of the database", path)
	return ring, nil
}
