package citybench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gridgov/internal/app"
)

// Intake are the figures of the import.
type Intake struct {
	Reports      int
	Import, Copy time.Duration // best of the rounds
	Ratio        float64       // COPY's time by the import's
}

// Intake imports the table into a fresh city each round, and has psql copy the rows that came out of it (reports,
// placements, cases and clocks) into the same indexed tables of another fresh city. It returns the first round's city, which holds the
// reports.
func (b *Bench) Intake(ctx context.Context) (Intake, *app.City, error) {
	out := Intake{Reports: b.Reports, Import: 1 << 62, Copy: 1 << 62}
	table, err := b.writeTable()
	if err != nil {
		return out, nil, err
	}
	var first *app.City
	for round := range b.Rounds {
		c, err := b.City(ctx, fmt.Sprintf("ours%d", round))
		if err != nil {
			return out, nil, err
		}
		began := time.Now()
		done, err := importFile(ctx, c, table)
		if err != nil {
			return out, nil, err
		}
		took := time.Since(began)
		if int(done.Added) != b.Reports {
			return out, nil, fmt.Errorf("imported %+v of %d", done, b.Reports)
		}
		out.Import = min(out.Import, took)
		if first == nil {
			first = c
			if err := b.dump(ctx, c); err != nil {
				return out, nil, err
			}
		} else {
			c.Close()
		}
		copied, err := b.copy(ctx, fmt.Sprintf("copy%d", round))
		if err != nil {
			return out, nil, err
		}
		out.Copy = min(out.Copy, copied)
		b.say("  round %d: import %.1f s, psql COPY %.1f s", round+1, took.Seconds(), copied.Seconds())
	}
	out.Ratio = out.Copy.Seconds() / out.Import.Seconds()
	return out, first, nil
}

// dumped are the tables an import writes, in the order of their references.
var dumped = []string{"report", "report_words", "placement", "cases", "clock"}

func (b *Bench) file(table string) string { return filepath.Join(b.Dir, table+".copy") }

// dump writes the tables of a city as text files for COPY.
func (b *Bench) dump(ctx context.Context, c *app.City) error {
	conn, err := c.Pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, t := range dumped {
		f, err := os.Create(b.file(t))
		if err != nil {
			return err
		}
		if _, err := conn.Conn().PgConn().CopyTo(ctx, f, "COPY "+t+" TO STDOUT"); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// copy has psql load the dumped tables into a fresh city, in one transaction.
func (b *Bench) copy(ctx context.Context, code string) (time.Duration, error) {
	c, err := b.City(ctx, code)
	if err != nil {
		return 0, err
	}
	c.Close()
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-d", b.DB.URL()}
	for _, t := range dumped {
		args = append(args, "-c", fmt.Sprintf(`\copy %s.%s from '%s'`, code, t, b.file(t)))
	}
	cmd := exec.CommandContext(ctx, b.Psql, args...)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("psql: %w: %s", err, out)
	}
	return time.Since(began), nil
}
