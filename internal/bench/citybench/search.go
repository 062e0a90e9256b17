package citybench

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/bench/tilebench"
)

// Sought is what is looked for in the measurement, and how often it stands in the reports.
type Sought struct{ What, Query string }

// Searches are the words looked for. Of a million reports each number stands for about so many.
var Searches = []Sought{
	{"frequent, two characters", "张贴"},         // 110,000
	{"middling, two characters", "蜂窝"},         // 5,000
	{"rare, two characters", "鸵鸟"},             // 20
	{"of years ago alone", "旧约"},               // 50,000, none in the newer half
	{"one character", "楼"},                     // 1,000,000
	{"Latin, frequent", "qr"},                  // 60,000
	{"Latin, rare", "zx81"},                    // 20
	{"mixed", "7号楼 qr"},                        // 300
	{"a phrase", "墙面张贴小广告"},                    // 60,000
	{"two that never meet", "旧约 新约"},           // 0 of 50,000 and 50,000
	{"a number", "123456"},                     // 1
	{"nowhere", "驷马难追"},                        // 0
	{"middling, in one village", "蜂窝&village"}, // of the above
}

// SearchTimes are how long the first fifty rows took.
type SearchTimes struct {
	Sought
	List     string
	Rows     int // on the page
	P50, P95 time.Duration
}

var (
	troubles = []string{"墙面张贴小广告", "占道经营，音响扰民", "路面乱倒建筑垃圾", "楼道堆放杂物", "电动车飞线充电", "夜间施工噪声", "绿化带内种菜", "消防通道被占"}
	surnames = []rune("东西南北中长宁安康平和福寿春夏秋冬梅兰竹菊松柏桃李江河湖海山川云雨")
)

// words are a report's title and text. What is rare is rare in the whole table.
func words(rng *rand.Rand, i, n int) (title, text string) {
	at := func() string {
		return string([]rune{surnames[rng.IntN(len(surnames))], surnames[rng.IntN(len(surnames))]})
	}
	title = fmt.Sprintf("%s路%d号楼%s", at(), 1+rng.IntN(200), troubles[rng.IntN(len(troubles))])
	var b strings.Builder
	fmt.Fprintf(&b, "%s小区%s门口，%s，居民%s反映", at(), at(), troubles[rng.IntN(len(troubles))], at())
	for range rng.IntN(4) {
		fmt.Fprintf(&b, "，%s%s附近", at(), at())
	}
	add := func(every int, word string) {
		if rng.IntN(every) == 0 {
			b.WriteString("，" + word)
		}
	}
	add(200, "发现蜂窝")
	add(50_000, "有人养鸵鸟")
	add(16, "QR 码")
	add(50_000, "ZX81")
	if i < n/2 {
		add(10, "旧约小册")
	} else {
		add(10, "新约小册")
	}
	return title, b.String()
}

// Lists are what is searched: all reports, the cases that are open, and those that have ended.
var Lists = []string{"reports?", "cases?", "cases?state=closed,evaluated&"}

// Search tells how long the service takes for the first fifty rows of each list that have words.
func (b *Bench) Search(ctx context.Context, live *app.Live, h http.Handler, code string, each int, tell func(SearchTimes)) error {
	layout := live.State().Layout
	village := layout.Levels[0].Units[0].Code
	for _, list := range Lists {
		for _, s := range Searches {
			text, in, _ := strings.Cut(s.Query, "&")
			path := "/" + code + "/v1/" + list + "limit=50&q=" + url.QueryEscape(text)
			if in != "" && list != Lists[0] {
				continue
			}
			if in != "" {
				path += "&village=" + village
			}
			t := SearchTimes{Sought: Sought{s.What, text}, List: strings.TrimRight(list, "?&")}
			var took []time.Duration
			for range each {
				w := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
				began := time.Now()
				h.ServeHTTP(w, r)
				took = append(took, time.Since(began))
				if w.Code != http.StatusOK {
					return fmt.Errorf("GET %s: %d %s", path, w.Code, w.Body)
				}
				t.Rows = max(strings.Count(w.Body.String(), `"num":`), strings.Count(w.Body.String(), `"ref":`))
			}
			slices.Sort(took)
			t.P50, t.P95 = took[len(took)/2], took[len(took)*95/100]
			tell(t)
		}
	}
	return nil
}

// Written creates a city and imports reports with texts into it, most of whose cases are closed; its tables are as the database's own
// cleaning leaves them.
func (b *Bench) Written(ctx context.Context, code string) (*app.City, error) {
	path := filepath.Join(b.Dir, "written.csv")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString("id,lon,lat,at,item,title,text\n")
	rng := rand.New(rand.NewPCG(b.Seed, 3))
	i := 0
	for r := range tilebench.Rows(b.Seed, b.Reports) {
		title, text := words(rng, i, b.Reports)
		i++
		_, _ = fmt.Fprintf(w, "%d,%v,%v,%s,%s,%s,%s\n", r.Num, r.Lon, r.Lat, time.Unix(int64(r.At), 0).UTC().Format(time.RFC3339), itemCode(1+int(r.Item)), title, text)
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	c, err := b.City(ctx, code)
	if err != nil {
		return nil, err
	}
	done, err := importMapped(ctx, c, path, "id=id,lon=lon,lat=lat,at=at,item=item,title=title,text=text")
	if err == nil && int(done.Added) != b.Reports {
		err = fmt.Errorf("imported %+v of %d", done, b.Reports)
	}
	if err != nil {
		return nil, err
	}
	return c, b.Settle(ctx, c)
}
