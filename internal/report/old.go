package report

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/placement"
)

// old is what an evaluation reads of a report: where it is, and the answer in force.
type old struct {
	num       Num
	lon, lat  float64 // NaN: no point
	accuracyM float64 // NaN: not known
	located   Located
	Placement
}

const oldChunk = 2000

// readOld sends the reports with an answer under an earlier plan than the given one, in chunks. A million are read for
// each new plan, so it reads the wire's bytes itself, with one string a row.
func (s *Service) readOld(ctx context.Context, plan int64, from, to Num, chunks chan<- []old) error {
	rows, err := s.Pool.Query(ctx, `
		SELECT r.num, r.lon, r.lat, r.accuracy_m, p.since, p.score, p.plan_id,
			r.located, p.method, p.rule, p.town, p.village, p.grid, p.microgrid, p.nearest, p.matched, p.near, p.candidates
		FROM report r JOIN placement p ON p.report_num = r.num LEFT JOIN plan q ON q.id = p.plan_id
		WHERE r.num BETWEEN $1 AND $2
			AND (p.plan_id IS NULL OR q.in_force_from < (SELECT in_force_from FROM plan WHERE id = $3))
		ORDER BY r.num`, pgx.QueryResultFormats{pgx.BinaryFormatCode}, int64(from), int64(to), plan)
	if err != nil {
		return err
	}
	defer rows.Close()
	chunk := make([]old, 0, oldChunk)
	for rows.Next() {
		chunk = append(chunk, oldOf(rows.RawValues()))
		if len(chunk) < oldChunk {
			continue
		}
		select {
		case chunks <- chunk:
			chunk = make([]old, 0, oldChunk)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if len(chunk) > 0 {
		chunks <- chunk
	}
	return rows.Err()
}

// oldOf reads a row of readOld's query in PostgreSQL's binary formats.
func oldOf(v [][]byte) old {
	o := old{num: Num(binary.BigEndian.Uint64(v[0])), lon: float(v[1]), lat: float(v[2]), accuracyM: float(v[3])}
	o.Since = time.UnixMicro(int64(binary.BigEndian.Uint64(v[4])) + pgEpoch).UTC()
	if v[5] != nil {
		o.Score = new(float(v[5]))
	}
	if v[6] != nil {
		o.PlanID = int64(binary.BigEndian.Uint64(v[6]))
	}
	var all []byte
	for _, text := range v[7:16] {
		all = append(all, text...)
	}
	rest := string(all)
	cut := func(n int) (s string) {
		s, rest = rest[:n], rest[n:]
		return s
	}
	o.located, o.Method, o.Rule = Located(cut(len(v[7]))), placement.Method(cut(len(v[8]))), cut(len(v[9]))
	o.Town, o.Village, o.Grid, o.Microgrid = cut(len(v[10])), cut(len(v[11])), cut(len(v[12])), cut(len(v[13]))
	o.Nearest, o.Matched = cut(len(v[14])), cut(len(v[15]))
	o.Near, o.Candidates = texts(v[16]), texts(v[17])
	return o
}

// texts reads a text[] without NULLs: the number of dimensions, whether there are NULLs, the element's type, then for the
// one dimension its length and lower bound, then each element with its length.
func texts(b []byte) []string {
	if len(b) < 20 || binary.BigEndian.Uint32(b) == 0 {
		return []string{}
	}
	out := make([]string, 0, binary.BigEndian.Uint32(b[12:]))
	for b = b[20:]; len(b) >= 4; {
		n := int(binary.BigEndian.Uint32(b))
		out = append(out, string(b[4:4+n]))
		b = b[4+n:]
	}
	return out
}
