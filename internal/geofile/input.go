package geofile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"gridgov/internal/fault"
)

// headBytes is how far the content is looked at before it is read: also what the encoding is told by.
const headBytes = 64 << 10

// input is a file as bytes: opened, counted, uncompressed, bounded.
type input struct {
	path string
	dir  bool // a folder, such as a file geodatabase: only GDAL reads it
	size int64
	read atomic.Int64
	raw  *bufio.Reader // uncompressed
	gz   bool
	file *os.File // nil for standard input
}

// openInput opens the path, "-" being opts.Stdin. Reads end with the context.
func openInput(ctx context.Context, path string, opts Options) (*input, error) {
	in := &input{path: path}
	var r io.Reader
	if path == "-" {
		r = opts.Stdin
		if r == nil {
			r = os.Stdin
		}
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, openFault(path, err)
		}
		info, err := f.Stat()
		if err != nil {
			f.Close() // read only
			return nil, openFault(path, err)
		}
		in.file, in.dir = f, info.IsDir()
		if in.dir {
			return in, nil
		}
		if info.Mode().IsRegular() {
			in.size = info.Size()
		}
		r = f
	}
	r = &counted{ctx: ctx, r: r, n: &in.read}
	in.raw = bufio.NewReaderSize(r, headBytes)
	if magic, _ := in.raw.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in.raw)
		if err != nil {
			in.close() // the first error counts
			return nil, damagedGzip()
		}
		in.gz = true
		r = gunzipped{unzipped}
	} else {
		r = in.raw
	}
	limit := opts.maxStream()
	in.raw = bufio.NewReaderSize(&bounded{r: r, left: limit, limit: limit}, headBytes)
	return in, nil
}

func openFault(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.NotFound("there is no file %s", path)
	case errors.Is(err, fs.ErrPermission):
		return fault.Forbidden("not_readable", "the file %s may not be read by this user", path)
	}
	return err
}

func (in *input) progress() (read, total int64) { return in.read.Load(), in.size }

func (in *input) close() error {
	if in.file == nil {
		return nil
	}
	return in.file.Close()
}

// head is the beginning of the uncompressed content, at most headBytes, without consuming it.
func (in *input) head() ([]byte, error) {
	b, err := in.raw.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// counted counts what passes and ends with its context.
type counted struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to be cancelled
	r   io.Reader
	n   *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// gunzipped says in words that compressed data is damaged.
type gunzipped struct{ r *gzip.Reader }

func (g gunzipped) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		err = damagedGzip()
	}
	return n, err
}

func damagedGzip() error {
	return fault.Invalid("", "damaged_gzip", "the gzip data is damaged or cut off; compress the file again")
}

// bounded ends a stream that is larger than anyone means it to be: a bomb, or a device.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One byte more than the limit tells a file of exactly that size from a larger one.
		if n, err := b.r.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, fault.TooLarge("", "the file has more than %d bytes when unpacked; split it", b.limit)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}
