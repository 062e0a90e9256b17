// Package frontend carries the built page inside the binary.
//
// The page is built by `npm run build` into dist/, which is not kept in version control; only dist/.gitkeep is, so that
// the package compiles without Node.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS returns the built page, rooted where index.html and assets/ lie. It reports false when the page has not been built;
// the returned file system is nil then.
func FS() (fs.FS, bool) {
	page, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(page, "index.html"); err != nil {
		return nil, false
	}
	return page, true
}
