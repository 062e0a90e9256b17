package pgserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Child is a server that lives as a child of this process and dies with it, however this process ends.
type Child struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// StartChild runs a server on the data folder and returns when it takes connections. Its log goes to logPath.
func (in Install) StartChild(ctx context.Context, as Account, dataDir, logPath string) (*Child, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := in.Command(context.WithoutCancel(ctx), as, "postgres", "-D", dataDir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr.Setpgid = true // a Ctrl-C at the terminal is for us; we stop the server in order
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	c := &Child{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that forked ends: keep that thread for the child's life.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is told by its log
		}
		close(c.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	if err := c.waitReady(ctx, dataDir, logPath); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// waitReady follows the last line of postmaster.pid, where the server tells its state, as pg_ctl does.
func (c *Child) waitReady(ctx context.Context, dataDir, logPath string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.exited:
			log, _ := os.ReadFile(logPath) // the log is only an addition to the message
			return fmt.Errorf("the server did not start: %s", strings.TrimSpace(string(log)))
		case <-tick.C:
			b, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
			if err != nil {
				continue // not written yet
			}
			lines := strings.Split(string(b), "\n")
			if len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready" {
				return nil
			}
		}
	}
}

// Stop ends the server's sessions and the server, and returns when it is gone.
func (c *Child) Stop() {
	select {
	case <-c.exited:
		return
	default:
	}
	_ = c.cmd.Process.Signal(syscall.SIGINT) // fast shutdown; an error means it has just ended
	<-c.exited
}

// Kill ends the server as a power cut would end it: at once, without a checkpoint.
func (c *Child) Kill() {
	_ = c.cmd.Process.Signal(syscall.SIGQUIT)
	<-c.exited
}
