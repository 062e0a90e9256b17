package app

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/tiles"
)

// Live is a city as a server serves it: with its cube, which follows the feed, and a watch on the plan in force.
type Live struct {
	*City
	Feed  *feed.Log
	Maker *tiles.Maker
	// LookThrough is how many of the newest reports are looked through for words before the index of words is asked; 0: as many as suit
	// a city with a million.
	LookThrough int

	cube  atomic.Pointer[cube.Cube] // another one after the feed was reset
	board atomic.Pointer[casework.Board]
	names atomic.Pointer[Names]
	span  atomic.Pointer[[2]uint32] // captured_at of the earliest and the latest report
	faces map[string]uint32         // cell, as the database writes it → face in the cube, never fewer; kept by the follower alone
	words facesNamed                // likewise
	crews crewsNamed                // likewise

	reaches reaches
	public  publicHeat
	spots   spotRoom

	mu      sync.Mutex
	applied feed.ID       // everything up to here is in the cube
	moved   chan struct{} // closed and renewed when applied moves

	replacing   atomic.Pointer[report.Replacing] // nil: nothing under way
	switched    chan struct{}                    // the plan in force may have changed
	changed     chan struct{}                    // places or attributions may have changed
	rebuilt     chan struct{}                    // all was loaded anew, of another state of the database
	deskChanged chan struct{}                    // regime, units, people or items may have changed
	// clocksChanged: cases were opened or acted on, so the next clock may be due earlier
	clocksChanged chan struct{}
	strays        strays
	rolled        person.Day // the day on which a demo's rosters were planned on; kept by watchDesk alone
	done          sync.WaitGroup
	stop          context.CancelFunc
}

// Names are the words behind the cube's small codes. They are immutable; new words make new Names.
type Names struct {
	tiles.Names
	Items []report.Item
	Cells []Cell // by face
	Crews []Crew // by crew
	item  map[string]uint16
}

// Item returns the number of an item in the cube.
func (n *Names) Item(code string) (uint16, bool) {
	v, ok := n.item[code]
	return v, ok
}

// hasItem tells whether the number is an item's.
func (n *Names) hasItem(num uint16) bool {
	return int(num) < len(n.Names.Items) && n.Names.Items[num] != ""
}

// Start loads the cube and begins to follow. When it returns the city is ready to serve.
func (c *City) Start(ctx context.Context) (*Live, error) {
	log, err := feed.NewLog(ctx, c.Pool, c.log) // before the reports are read: what comes meanwhile is applied again
	if err != nil {
		return nil, err
	}
	l := &Live{City: c, Feed: log, Maker: &tiles.Maker{}, faces: map[string]uint32{}, applied: log.Head(),
		moved: make(chan struct{}), spots: newSpotRoom(), switched: make(chan struct{}, 1), changed: make(chan struct{}, 1), rebuilt: make(chan struct{}, 1),
		deskChanged: make(chan struct{}, 1), clocksChanged: make(chan struct{}, 1), strays: newStrays()}
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	c.wake.Store(new(l.Feed.Wake))
	l.done.Go(func() { l.Feed.Run(run) })
	l.done.Go(func() { l.Feed.Listen(run, c.Code) })
	l.done.Go(func() { l.follow(run) })
	l.done.Go(func() { l.watchPlan(run) })
	l.done.Go(func() { l.watchDesk(run) })
	l.done.Go(func() { l.openEarlier(run) })
	l.done.Go(func() { l.findWords(run) })
	l.done.Go(func() { l.watchOpenCases(run) })
	l.done.Go(func() { l.Messages.Run(run) })
	l.done.Go(func() { l.Photos.Run(run) })
	if l.Demo {
		signal(l.deskChanged) // its rosters may have run dry
	}
	l.done.Go(func() { l.tellInTime(run) })
	l.done.Go(func() { l.workOnJobs(run) })
	l.done.Go(func() { l.Batches.Run(run) })
	l.warm()
	return l, nil
}

// Stop ends the followers and waits for them.
func (l *Live) Stop() {
	l.stop()
	l.done.Wait()
	l.City.Close()
}

// View is the cube as it is now.
func (l *Live) View() cube.View { return l.cube.Load().View() }

// Names are the words of the cube's codes.
func (l *Live) Names() *Names { return l.names.Load() }

// Replacing tells how far a re-placement under way has come.
func (l *Live) Replacing() (report.Replacing, bool) {
	if p := l.replacing.Load(); p != nil {
		return *p, true
	}
	return report.Replacing{}, false
}

// load fills a cube from PostGIS and puts it in the place of the one before.
func (l *Live) load(ctx context.Context) error {
	var rows []cube.Row
	span := [2]uint32{math.MaxUint32, 0}
	err := l.Reports.Columns(ctx, 0, math.MaxUint32, func(c *report.Column) {
		if !math.IsNaN(c.Lon) {
			row := l.row(c)
			rows = append(rows, row)
			span = [2]uint32{min(row.At, span[0]), max(row.At, span[1])}
		}
	})
	if err != nil {
		return err
	}
	if err := l.readItems(ctx); err != nil { // after the reports, so that none has an item without a name
		return err
	}
	if err := l.sealAll(ctx, rows); err != nil {
		return err
	}
	if err := l.loadBoard(ctx); err != nil {
		return err
	}
	l.publishFaces()
	l.publishCrews()
	l.span.Store(nil)
	if len(rows) > 0 {
		l.span.Store(&span)
	}
	l.cube.Store(cube.Load(slices.Values(rows)))
	return nil
}

func (l *Live) row(c *report.Column) cube.Row {
	face := cube.FaceNone
	if key := c.Cell(); key != nil {
		f, ok := l.faces[string(key)]
		if !ok {
			f = l.words.add(Cell{policy.Cell{Town: string(c.Town), Village: string(c.Village), Grid: string(c.Grid),
				Microgrid: string(c.Microgrid)}, c.Candidates()})
			l.faces[string(key)] = f
		}
		face = f
	}
	return cube.Row{Num: uint32(c.Num), Lon: c.Lon, Lat: c.Lat, At: uint32(min(max(c.At, 0), math.MaxUint32)),
		Item: uint16(c.Item), Kind: c.Kind, Source: c.Source, Face: face, Crew: cube.CrewNone}
}

func (l *Live) readItems(ctx context.Context) error {
	items, err := l.Reports.Items(ctx)
	if err != nil {
		return err
	}
	n := &Names{Items: items, item: map[string]uint16{}}
	if old := l.names.Load(); old != nil {
		n.Faces, n.Grids, n.Cells, n.Units, n.Crews = old.Faces, old.Grids, old.Cells, old.Units, old.Crews
	}
	for _, i := range items {
		n.item[i.Code] = uint16(i.Num)
		for len(n.Names.Items) <= int(i.Num) {
			n.Names.Items = append(n.Names.Items, "")
		}
		n.Names.Items[i.Num] = i.Code
	}
	n.Kinds = []string{""}
	for _, k := range report.Kinds {
		n.Kinds = append(n.Kinds, string(k))
	}
	for _, s := range report.Sources {
		n.Sources = append(n.Sources, string(s))
	}
	n.States = []string{""}
	for _, s := range casework.States {
		n.States = append(n.States, string(s))
	}
	l.names.Store(n)
	return nil
}

// facesNamed are the faces met so far, by number. Its lists only grow, so readers share their beginnings.
type facesNamed struct {
	cells []Cell
	faces []uint32 // by face: its place in grids
	grids []string
	grid  map[string]uint32 // places in grids
}

func (n *facesNamed) add(c Cell) (face uint32) {
	grid, ok := n.grid[c.Grid]
	if !ok {
		if n.grid == nil {
			n.grid = map[string]uint32{}
		}
		grid = uint32(len(n.grids))
		n.grid[c.Grid], n.grids = grid, append(n.grids, c.Grid)
	}
	face = uint32(len(n.cells))
	n.cells, n.faces = append(n.cells, c), append(n.faces, grid)
	return face
}

// publishFaces lets readers name the faces met so far.
func (l *Live) publishFaces() {
	old := l.names.Load()
	if len(old.Cells) == len(l.words.cells) {
		return
	}
	next := *old
	next.Cells, next.Faces, next.Grids = l.words.cells, l.words.faces, l.words.grids
	l.names.Store(&next)
}

// Applied returns the feed's position that the cube has reached.
func (l *Live) Applied() feed.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.applied
}

// WaitApplied returns when everything up to id is in the cube, or at once when id is of another epoch.
func (l *Live) WaitApplied(ctx context.Context, id feed.ID) error {
	for {
		l.mu.Lock()
		at, moved := l.applied, l.moved
		l.mu.Unlock()
		if at.Epoch != id.Epoch || at.Seq >= id.Seq {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Resume returns where a reader may go on who cannot from lost: the cube's position, once it is another than that.
func (l *Live) Resume(ctx context.Context, lost feed.ID) (feed.ID, error) {
	for {
		l.mu.Lock()
		at, moved := l.applied, l.moved
		l.mu.Unlock()
		if at != lost {
			return at, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return feed.ID{}, ctx.Err()
		}
	}
}

func (l *Live) setApplied(id feed.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied = id
	close(l.moved)
	l.moved = make(chan struct{})
}

// warm prepares the plan's tiles, so that nobody waits for a zoom's first one.
func (l *Live) warm() {
	if b := l.State().Boundaries; b != nil {
		l.done.Go(b.Warm)
	}
}
