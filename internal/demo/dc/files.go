package dc

import (
	"compress/gzip"
	"io"
	"io/fs"
	"time"
)

// file reads one embedded file through its decompressor.
type file struct {
	*gzip.Reader
	packed fs.File
}

func (f *file) Close() error {
	err := f.Reader.Close()
	if e := f.packed.Close(); err == nil {
		err = e
	}
	return err
}

// files is the fs.FS over Open.
type files struct{}

func (files) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	r, err := Open(name)
	if err != nil {
		return nil, err
	}
	return openFile{ReadCloser: r, name: name}, nil
}

// openFile is a file and its own FileInfo: read-only, of unknown size, without a time.
type openFile struct {
	io.ReadCloser
	name string
}

func (f openFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f openFile) Name() string               { return f.name }
func (f openFile) Size() int64                { return 0 }
func (f openFile) Mode() fs.FileMode          { return 0o444 }
func (f openFile) ModTime() time.Time         { return time.Time{} }
func (f openFile) IsDir() bool                { return false }
func (f openFile) Sys() any                   { return nil }
