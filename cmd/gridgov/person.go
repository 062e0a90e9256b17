package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

// whose says which person is meant.
type whose struct{ city, phone, email, id, login string }

func (w *whose) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.city, "city", "", "the city's code")
	cmd.Flags().StringVar(&w.phone, "phone", "", "the person's phone number, however it is written")
	cmd.Flags().StringVar(&w.email, "email", "", "the person's e-mail address")
	cmd.Flags().StringVar(&w.id, "id", "", "the person's id, as an export or the page of people has it: of who told reports, or of who works here")
	cmd.Flags().StringVar(&w.login, "login", "", "the login of somebody who works here; without an account, name them by --id")
	mustRequire(cmd, "city")
}

// check tells a wrong call before anything is opened.
func (w *whose) check() error {
	given := 0
	for _, s := range []string{w.phone, w.email, w.id, w.login} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return usagef("name the person by --phone, --email, --id or --login")
	}
	if w.id != "" {
		if _, err := uuid.Parse(w.id); err != nil {
			return usagef("--id %.40q is not a UUID", w.id)
		}
	}
	return nil
}

// find finds the person, and tells whether it is somebody who works here or somebody who told reports; no id is both. An id
// is taken as it is, so that a person can be erased without the key too.
func (w *whose) find(cmd *cobra.Command, c *app.City) (id uuid.UUID, staff bool, err error) {
	switch {
	case w.login != "":
		account, err := c.Auth.AccountNamed(cmd.Context(), w.login)
		return account.Person, true, err
	case w.id != "":
		id = uuid.MustParse(w.id)
		_, err := c.People.Get(cmd.Context(), id, nil)
		if fault.Is(err, fault.KindNotFound) {
			return id, false, nil
		}
		return id, true, err
	}
	id, err = c.Contacts.Find(cmd.Context(), w.phone+w.email)
	return id, false, err
}

func (w *whose) export(cmd *cobra.Command, c *app.City) (any, error) {
	id, staff, err := w.find(cmd, c)
	switch {
	case err != nil:
		return nil, err
	case staff:
		return c.ExportStaff(cmd.Context(), id)
	}
	return c.Contacts.Export(cmd.Context(), id)
}

// erase returns what to say of it.
func (w *whose) erase(cmd *cobra.Command, c *app.City, opt contact.EraseOptions) (string, error) {
	id, staff, err := w.find(cmd, c)
	switch {
	case err != nil:
		return "", err
	case staff:
		return fmt.Sprintf("person %s is erased; what they did stays on record, by this id", id), c.Auth.Erase(cmd.Context(), id)
	}
	done, err := c.Contacts.Erase(cmd.Context(), id, opt)
	return fmt.Sprintf("contact %s is erased, with %d reports", id, done.Reports), err
}

func (t *tool) person() *cobra.Command {
	return group("person", "Hand out or erase what is held of a person", t.exportPerson(), t.erasePerson())
}

func (t *tool) exportPerson() *cobra.Command {
	var who whose
	var out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write all that is held of a person, as JSON, to standard output or a file; it goes on record", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := who.check(); err != nil {
				return err
			}
			to := t.out
			if out != "" {
				f, e := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if e != nil {
					return usagef("--out: %w", e)
				}
				to = f
				defer func() {
					if err = errors.Join(err, f.Close()); err != nil {
						_ = os.Remove(out) // the first error is the one to tell
					}
				}()
			}
			return t.inCity(cmd.Context(), who.city, func(c *app.City) error {
				held, err := who.export(cmd, c)
				if err != nil {
					return err
				}
				e := json.NewEncoder(to)
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				return e.Encode(held)
			})
		},
	}
	who.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to make, which nobody else may read (standard output)")
	return cmd
}

func (t *tool) erasePerson() *cobra.Command {
	var who whose
	var opt contact.EraseOptions
	var yes, rewrite bool
	cmd := &cobra.Command{
		Use: "erase", Short: "Erase a person, with the words of the reports that the person told", Args: noArgs,
		Long: "erase destroys the key by which what is known of a person is sealed, and empties title, text and address of the person's\n" +
			"reports. Where, when and about what they were made stays. Of somebody who works here the name, phone, e-mail and login go,\n" +
			"and posts and sessions end. Backups from before still hold what was sealed, and the words: after a restore into an empty\n" +
			"database, erase the person again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := who.check(); err != nil {
				return err
			}
			if !yes {
				return usagef("nobody can bring back what is erased: say --yes")
			}
			return t.inCityOf(cmd.Context(), who.city, func(db *postgres.Database, c *app.City) error {
				err := t.notingLast(cmd.Context(), c, func() error {
					said, err := who.erase(cmd, c, opt)
					if err == nil {
						t.say("%s", said)
					}
					return err
				})
				if err != nil {
					return err
				}
				c.Announce()
				return db.Scrub(cmd.Context(), c.City, rewrite)
			})
		},
	}
	who.flags(cmd)
	cmd.Flags().BoolVar(&opt.KeepText, "keep-text", false, "leave title, text and address of the reports: somebody saw that they name nobody")
	cmd.Flags().BoolVar(&rewrite, "rewrite", false, "make the tables' files anew, so that nothing is left in their unused parts; the city waits meanwhile")
	cmd.Flags().BoolVar(&yes, "yes", false, "erase; without, nothing is done")
	return cmd
}
