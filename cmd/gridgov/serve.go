package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gridgov/frontend"
	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/basemap"
	"gridgov/internal/blob"
	"gridgov/internal/photo"
	"gridgov/internal/postgres"
)

// drainTime is how long a stopping server waits for requests under way.
const drainTime = 10 * time.Second

func (t *tool) serve() *cobra.Command {
	var demoCity, until, ground, anchor string
	var allow []string
	var at edge
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the map, the API and the tiles",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := at.config(cmd.Context())
			if err != nil {
				return err
			}
			if demoCity != "" && !slices.Contains(config.Hosts, api.LocalHosts) {
				t.say("anybody who reaches %s can sign in to the demo: show it to nobody who is not meant to", at.addr)
			}
			if config.Hosts == nil && config.PublicURL == "" {
				t.say("note: no name is known by which people find the service, so it takes no residents' reports: give --host or --public-url")
			}
			load, err := t.demoLoader(demoCity, until, "")
			if err != nil {
				return err
			}
			var archive *basemap.Archive
			if ground != "" {
				if archive, err = basemap.Open(ground); err != nil {
					return usagef("--basemap: %w", err)
				}
			}
			if anchor != "" {
				f, err := os.OpenFile(anchor, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					return usagef("--anchor: %w", err)
				}
				_ = f.Close() // nothing was written
			}
			networks, err := networksNamed(allow)
			if err != nil {
				return err
			}
			return t.runServer(cmd.Context(), &at, config, anchor, archive, networks, load)
		},
	}
	at.flags(cmd.Flags())
	cmd.Flags().StringVar(&ground, "basemap", os.Getenv("GRIDGOV_BASEMAP"), "PMTiles archive that the map draws under the cities (env GRIDGOV_BASEMAP)")
	cmd.Flags().StringVar(&anchor, "anchor", os.Getenv("GRIDGOV_ANCHOR"), "file to which the head of each city's record of acts is added every hour (env GRIDGOV_ANCHOR)")
	cmd.Flags().StringVar(&t.photos, "photos", os.Getenv("GRIDGOV_PHOTOS"), "where photos lie: a folder, or s3://BUCKET?region=REGION (env GRIDGOV_PHOTOS; photos in the data folder)")
	cmd.Flags().StringSliceVar(&allow, "webhook-allow", fields(os.Getenv("GRIDGOV_WEBHOOK_ALLOW")), "networks of the own house that webhooks may call, such as 10.1.0.0/16 (env GRIDGOV_WEBHOOK_ALLOW; none)")
	cmd.Flags().StringVar(&demoCity, "demo", "", "load this demo on the first start: haining or dc")
	cmd.Flags().StringVar(&until, "demo-until", "", "last day of the demo's reports (today)")
	return cmd
}

// fields splits a list of a variable.
func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// networksNamed reads networks, or single addresses.
func networksNamed(list []string) (out []netip.Prefix, err error) {
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			ip, err2 := netip.ParseAddr(s)
			if err2 != nil {
				return nil, usagef("--webhook-allow %q: name a network such as 10.1.0.0/16, or an address", s)
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// loopbackOnly refuses an address where others could reach what has no accounts.
func loopbackOnly(ctx context.Context, flag, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef("%s %q is not host:port", flag, addr)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if host == "" || err != nil || len(ips) == 0 {
		return usagef("%s %q: name a loopback address such as 127.0.0.1: there are no accounts there, so others may not reach it", flag, addr)
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return usagef("%s %q is not a loopback address: there are no accounts there, so others may not reach it", flag, addr)
		}
	}
	return nil
}

func (t *tool) runServer(ctx context.Context, at *edge, config api.Edge, anchor string, ground *basemap.Archive, networks []netip.Prefix, load func(context.Context, *postgres.Database) error) error {
	log := t.logger()
	db, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer done()

	pictures, err := blob.Open(ctx, cmp.Or(t.photos, filepath.Join(t.data, "photos")))
	if err != nil {
		return usagef("--photos: %w", err)
	}
	defer func() { _ = pictures.Close() }()

	// Both listeners first: a port in use is told before anything else is done.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.addr)
	if err != nil {
		return usagef("--addr: %w", err)
	}
	plain := listener
	if listener, err = at.tls(plain); err != nil {
		_ = plain.Close()
		return err
	}
	adminListener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.adminAddr)
	if err != nil {
		_ = listener.Close()
		return usagef("--admin-addr: %w", err)
	}

	server := app.NewServer(db, t.keys, log, time.Now)
	server.AnchorTo(anchor)
	server.CallFrom(config.PublicURL, networks)
	server.PhotosIn(pictures, photo.NewWorkshop(photo.DefaultMemory))
	first := firstPasswords{t}
	server.FirstPassword = first.tell
	metrics := newMetrics(server)
	page, ok := frontend.FS()
	if !ok {
		t.say("this binary was built without the page; `make build` builds one with it")
	}
	stopping := make(chan struct{})
	handler, err := api.New(api.Config{Server: server, Page: page, Basemap: ground, Log: log, Now: time.Now, Observe: metrics.observe, Stop: stopping,
		SignedIn: first.signedIn, Edge: config})
	if err != nil {
		return err
	}
	faults := slog.NewLogLogger(log.Handler(), slog.LevelWarn) // of connections that have not come to a request
	public := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: at.headerTime, ReadTimeout: 60 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 120 * time.Second,
		MaxHeaderBytes: 32 << 10, ErrorLog: faults,
	}
	admin := &http.Server{Handler: adminHandler(server, metrics), ReadHeaderTimeout: at.headerTime, WriteTimeout: 60 * time.Second, ErrorLog: faults}

	run, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 3)
	var work sync.WaitGroup
	serve := func(s *http.Server, l net.Listener) {
		work.Go(func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	serve(public, listener)
	serve(admin, adminListener)
	work.Go(func() { server.Run(run) })
	work.Go(func() {
		if err := load(run, db); err != nil && run.Err() == nil {
			failed <- err
		}
	})
	scheme := "http"
	if at.tlsCert != "" {
		scheme = "https"
	}
	t.say("gridgov serves on %s://%s", scheme, listener.Addr())
	t.say("health, readiness and metrics on http://%s", adminListener.Addr())

	select {
	case <-ctx.Done():
		t.say("stopping: requests under way have %v", drainTime)
	case err = <-failed:
	}
	close(stopping) // streams have no end of their own
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	for _, s := range []*http.Server{public, admin} {
		if e := s.Shutdown(drain); e != nil {
			_ = s.Close()
		}
	}
	stop()
	work.Wait()
	return err
}
