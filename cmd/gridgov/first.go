package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"gridgov/internal/app"
)

// firstPasswords tells the one-time password of a city's first administrator: on a terminal, else in a file that only the
// service's own user can read and that goes at the administrator's first sign-in.
type firstPasswords struct{ *tool }

func (f firstPasswords) path(city string) string {
	return filepath.Join(f.data, "first-password-"+city)
}

func (f firstPasswords) tell(city, login, password string) error {
	if out, ok := f.err.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		f.say("%s has no account yet: sign in as %s with the password %s, which is to be changed then", city, login, password)
		return nil
	}
	path := f.path(city)
	if err := os.MkdirAll(f.data, 0o750); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s\n%s\n", login, password)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	f.say("%s has no account yet: the login and the password of its first administrator are in %s, until the first sign-in", city, path)
	return nil
}

// signedIn takes the file away once it has done its work.
func (f firstPasswords) signedIn(city, login string) {
	if login != app.FirstLogin {
		return
	}
	if err := os.Remove(f.path(city)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.say("%s can no longer be used, and could not be removed: %v", f.path(city), err)
	}
}
