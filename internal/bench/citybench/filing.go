package citybench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/app"
	"gridgov/internal/bench/tilebench"
	"gridgov/internal/bench/wire"
)

// Filing are the figures of reports that are filed over HTTP, one by one, beside pgbench.
type Filing struct {
	Clients  int
	Rate     float64 // reports a second, each acknowledged when it is on disk; best of the rounds
	P50, P99 time.Duration
	Rival    float64 // pgbench's transactions a second, best of the rounds
	Ratio    float64
}

// Filing has clients send reports to the service, each placed, opened, assigned, clocked and fed, and then pgbench insert the
// same rows into the same tables of another city: one transaction a report, its statements prepared, without the row that
// counts the feed and ends the chain of records.
func (b *Bench) Filing(ctx context.Context, live *app.Live, h http.Handler, token string, clients int, each time.Duration) (Filing, error) {
	out := Filing{Clients: clients}
	s, err := wire.Serve(h)
	if err != nil {
		return out, err
	}
	defer s.Stop()
	for range b.Rounds {
		run, err := s.Load(ctx, filed(live.Code, token, clients), clients, each)
		if err != nil {
			return out, err
		}
		if rate := run.Rate(); rate > out.Rate {
			out.Rate, out.P50, out.P99 = rate, run.Quantile(0.5), run.Quantile(0.99)
		}
		script, err := b.rivalScript(ctx, live)
		if err != nil {
			return out, err
		}
		rate, err := b.pgbench(ctx, script, clients, each)
		if err != nil {
			return out, err
		}
		out.Rival = max(out.Rival, rate)
	}
	out.Ratio = out.Rate / out.Rival
	return out, nil
}

// ahead is how many requests a client has made before it begins: what making them costs is not the service's.
const ahead = 2000

// filed makes the requests that file reports all over the city.
func filed(city, token string, clients int) func(client, i int) []byte {
	head := fmt.Sprintf("POST /%s/v1/reports HTTP/1.1\r\nHost: localhost\r\nCookie: gridgov=%s\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: ", city, token)
	request := func(client, i int) []byte {
		body, err := json.Marshal(map[string]any{
			"id": uuid.Must(uuid.NewV7()), "source": "web", "captured_at": time.Now().UTC(), "item": itemCode(1 + i%tilebench.Items),
			"lon": 120.4 + float64((client*31+i)%300)/1000, "lat": 30.3 + float64(i%200)/1000, "title": "沟里有水", "text": "下过雨以后水一直不退",
		})
		if err != nil {
			panic(err) // plain values
		}
		return []byte(head + strconv.Itoa(len(body)) + "\r\n\r\n" + string(body))
	}
	made := make([][][]byte, clients)
	for i := range min(ahead, 100_000/clients) {
		for client := range made {
			made[client] = append(made[client], request(client, i))
		}
	}
	return func(client, i int) []byte {
		if i < len(made[client]) {
			return made[client][i]
		}
		return request(client, i)
	}
}

// rival is the schema that pgbench writes to, with the tables of a city.
const rival = "rival"

// written are the tables that filing a report writes to, but for the counter.
var written = []string{"report", "report_words", "placement", "cases", "clock", "event", "audit"}

// rivalScript writes pgbench's script: the rows that the last report of the city left, with an id, a moment and an area of
// its own for each transaction.
func (b *Bench) rivalScript(ctx context.Context, live *app.Live) (string, error) {
	conn, err := live.Pool.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	var num int64
	if err := conn.QueryRow(ctx, `SELECT max(num) FROM report`).Scan(&num); err != nil {
		return "", err
	}
	var script strings.Builder
	script.WriteString("\\set g random(1, 2070)\n\\set far random(0, 1000)\nBEGIN;\n")
	for _, table := range written {
		where, own := "report_num = $1", map[string]string{"report_num": ":num"}
		switch table {
		case "report":
			where, own = "num = $1", map[string]string{"num": "DEFAULT", "id": "gen_random_uuid()", "lon": "120.4 + :far / 3000.0", "captured_at": "now()", "received_at": "now()"}
		case "placement":
			own["grid"] = "'g' || :g::text"
		case "event":
			where, own = "(data ->> 'num')::bigint = $1", map[string]string{"seq": "nextval('" + rival + ".event_seq')", "at": "now()"}
		case "audit":
			where, own = "subject = 'report:' || $1::bigint", map[string]string{"seq": "nextval('" + rival + ".audit_seq')", "at": "now()", "subject": "'report:' || :num::text"}
		}
		columns, err := columnsOf(ctx, conn.Conn(), table)
		if err != nil {
			return "", err
		}
		rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT ARRAY[%s::text] FROM %s WHERE %s`, strings.Join(columns, "::text, "), table, where), num)
		if err != nil {
			return "", err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[[]*string])
		if err != nil {
			return "", fmt.Errorf("rows of %s: %w", table, err)
		}
		if len(found) == 0 {
			return "", fmt.Errorf("report %d left no row in %s", num, table)
		}
		for _, row := range found {
			values := make([]string, len(columns))
			for i, c := range columns {
				values[i] = "NULL"
				if v, ok := own[c]; ok {
					values[i] = v
				} else if row[i] != nil {
					values[i] = literal(*row[i])
				}
			}
			fmt.Fprintf(&script, "INSERT INTO %s.%s (%s) VALUES (%s)", rival, table, strings.Join(columns, ", "), strings.Join(values, ", "))
			if table == "report" {
				script.WriteString(" RETURNING num \\gset")
			} else {
				script.WriteString(";")
			}
			script.WriteString("\n")
		}
	}
	script.WriteString("END;\n")
	path := filepath.Join(b.Dir, "rival.pgbench")
	return path, os.WriteFile(path, []byte(script.String()), 0o600)
}

func columnsOf(ctx context.Context, conn *pgx.Conn, table string) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// literal is a text in SQL without a colon, which would begin a variable of pgbench.
func literal(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, `:`, `\x3a`).Replace(text) + "'"
}

// Rival makes the city that pgbench writes to, filled as the other.
func (b *Bench) Rival(ctx context.Context) error {
	c, err := b.Filled(ctx, rival)
	if err != nil {
		return err
	}
	err = b.Settle(ctx, c)
	c.Close()
	if err != nil {
		return err
	}
	for _, seq := range []string{"event_seq", "audit_seq"} {
		if _, err := b.DB.Owner().Exec(ctx, `CREATE SEQUENCE `+rival+`.`+seq+` START 1000000 CACHE 100`); err != nil {
			return err
		}
	}
	return nil
}

var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// pgbench runs the script from so many clients and returns the transactions a second.
func (b *Bench) pgbench(ctx context.Context, script string, clients int, each time.Duration) (float64, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(b.Psql), "pgbench"), "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2",
		"-T", strconv.Itoa(max(1, int(each.Seconds()))), "-f", script, b.DB.URL())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	m := tps.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("pgbench told no rate: %s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
