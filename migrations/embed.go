// Package migrations holds the SQL that builds the database, step by step, as tern files NNN_name.sql.
//
// A step that has been released never changes; a mend is a new step. Statements are sent one a message and must keep to
// the rules that Citus sets (docs/operations.md). City files may use {{.role}}, the name of the city's serving role.
package migrations

import (
	"embed"
	"io/fs"
)

var (
	//go:embed city/*.sql
	city embed.FS
	//go:embed registry/*.sql
	registry embed.FS
)

// City returns the steps of each city's schema.
func City() fs.FS { return sub(city, "city") }

// Registry returns the steps of the schema registry.
func Registry() fs.FS { return sub(registry, "registry") }

func sub(files embed.FS, dir string) fs.FS {
	s, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return s
}
