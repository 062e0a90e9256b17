package screening

import (
	"fmt"
	"strconv"

	"gridgov/internal/worktime"
)

// steady is up to which two-sided p a trend is told of.
const steady = 0.05

// Words say why a proposal was made, of its numbers alone; fresh is how many reports serve as its evidence, least how many it takes.
func (p *Proposal) Words(days, fresh, least int, limit float64) worktime.Words {
	q := 1.0
	for _, u := range p.Units {
		q = min(q, u.Q)
	}
	around := 0
	for _, a := range p.Around {
		around += a.Told
	}
	expected := strconv.FormatFloat(digits(p.Expected, 3), 'f', -1, 64)
	zh := fmt.Sprintf("近 %d 天群众反映 %d 件，若全市随机分布应为 %s 件，明显偏多（q %s，限值 %g）；其中 %d 件未作过依据，达到 %d 件的下限。周边 %d 处共反映 %d 件。",
		days, p.Told, expected, small(q), limit, fresh, least, len(p.Around), around)
	en := fmt.Sprintf("%s in %d days, where %s would be expected had all been drawn at random: more than chance (q %s, limit %g); %d of them served for no proposal before, %d are needed. %s told in the %d places around.",
		counted(p.Told, "report"), days, expected, small(q), limit, fresh, least, counted(around, "report"), len(p.Around))
	switch {
	case p.Trend.P > steady || p.Trend.S == 0:
		zh += fmt.Sprintf("此前 %d 周没有稳定的升降趋势。", trendWeeks)
		en += fmt.Sprintf(" No steady trend in the %d weeks before.", trendWeeks)
	case p.Trend.S > 0:
		zh += fmt.Sprintf("此前 %d 周持续上升。", trendWeeks)
		en += fmt.Sprintf(" Rising steadily in the %d weeks before.", trendWeeks)
	default:
		zh += fmt.Sprintf("此前 %d 周持续下降。", trendWeeks)
		en += fmt.Sprintf(" Falling steadily in the %d weeks before.", trendWeeks)
	}
	if p.Found > 0 {
		zh += fmt.Sprintf("巡查另发现 %d 件。", p.Found)
		en += fmt.Sprintf(" Patrols found %d more.", p.Found)
	}
	return worktime.Words{ZH: zh, EN: en}
}

// small writes what q is, or below what.
func small(q float64) string {
	if q < 0.0001 {
		return "< 0.0001"
	}
	return "= " + strconv.FormatFloat(digits(q, 2), 'f', -1, 64)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
