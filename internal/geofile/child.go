package geofile

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gridgov/internal/fault"
)

// limited is what the shell does before it becomes the program: address space in KiB, seconds of CPU, size of any file
// written in blocks of 512 bytes, open files, no core dump.
const limited = `ulimit -v "$1" && ulimit -t "$2" && ulimit -f "$3" && ulimit -n 256 && ulimit -c 0 || exit 125
shift 3
exec "$@"`

// child is a running program whose output is read.
type child struct {
	io.Reader

	gdal   *gdal
	ctx    context.Context //nolint:containedctx // why it was ended
	cancel context.CancelFunc
	cmd    *exec.Cmd
	stderr *tail
	once   sync.Once
	failed error
}

// start runs a program of GDAL with its limits, in a process group of its own that ends with the context.
func (g *gdal) start(ctx context.Context, name string, args ...string) (*child, error) {
	program, err := g.program(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &child{gdal: g, ctx: ctx, cancel: cancel, stderr: &tail{}}
	c.cmd = exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", limited, "sh", // arguments, never shell text
		strconv.FormatInt(g.opts.MaxMemory>>10, 10), seconds(g.opts), strconv.FormatInt(g.opts.maxUnpacked()>>9, 10), program}, args...)...)
	c.cmd.Dir, c.cmd.Env, c.cmd.Stderr = g.dir, g.environment(), c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Cancel = func() error { return syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }
	c.cmd.WaitDelay = 5 * time.Second
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	c.Reader = out
	return c, nil
}

// wait tells how the program ended: nil, or a fault. All output must have been read, or close called.
func (c *child) wait() error {
	c.once.Do(func() {
		err := c.cmd.Wait()
		c.failed = c.explain(err)
		c.cancel()
	})
	return c.failed
}

// close ends the program if it still runs.
func (c *child) close() error {
	c.cancel()
	c.wait() //nolint:errcheck // it was ended
	return nil
}

func (c *child) explain(err error) error {
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		return fault.TooLarge("", "GDAL needed more than %s for this file; split it or convert it to GeoJSON", c.gdal.opts.Timeout)
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case !errors.As(err, &exit):
		return err
	}
	text := c.stderr.String()
	status, _ := exit.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && exit.UserTime()+exit.SystemTime() >= c.gdal.opts.Timeout-time.Second: // ulimit -t
		return fault.TooLarge("", "GDAL needed more than %s for this file; split it or convert it to GeoJSON", c.gdal.opts.Timeout)
	case status.Signaled() && (status.Signal() == syscall.SIGABRT || status.Signal() == syscall.SIGKILL), strings.Contains(text, "bad_alloc"), strings.Contains(text, "ut of memory"):
		return fault.TooLarge("", "GDAL needed more than %d MiB of memory for this file; split it or convert it to GeoJSON", c.gdal.opts.MaxMemory>>20)
	case status.Signaled():
		return fault.Invalid("", "gdal_failed", "GDAL broke off on this file (%s); convert it to GeoJSON", status.Signal())
	case status.ExitStatus() == 125:
		return fault.Unavailable("no_limits", "the limits for GDAL could not be set on this system; convert the file to GeoJSON")
	}
	return fault.Invalid("", "gdal_failed", "GDAL cannot read this file: %s", c.gdal.message(text))
}

// tail keeps the first 16 KiB of what is written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[:min(len(p), 16<<10-len(t.buf))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
