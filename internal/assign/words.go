package assign

import (
	"strconv"
	"strings"

	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// passing is a rule that fits and whose unit cannot answer.
type passing struct {
	rule  int
	party Party
	unit  *Unit // nil: none is there
	why   whyNot
}

var whyWords = map[whyNot]worktime.Words{
	isClosed:  {ZH: "已撤销", EN: "is closed"},
	noMembers: {ZH: "没有在任人员", EN: "has no members"},
	gaveBack:  {ZH: "已退回本件", EN: "gave the case back"},
}

var kindWords = map[policy.UnitKind]worktime.Words{
	policy.TownTeam:             {ZH: "辖区执法队", EN: "the territory's town team"},
	policy.CommandCenter:        {ZH: "辖区指挥室", EN: "the territory's command centre"},
	policy.EnforcementCommittee: {ZH: "辖区执法委员会", EN: "the territory's enforcement committee"},
}

// explain says why a unit answers.
func (w *World) explain(number int, rule *Rule, f *Facts, lead *Unit, support []*Unit, passed []passing) worktime.Words {
	var zh, en strings.Builder
	for _, p := range passed {
		z, e := p.words()
		zh.WriteString("规则 " + itoa(int64(p.rule)) + "：" + z + "，跳过。")
		en.WriteString("Rule " + itoa(int64(p.rule)) + ": " + e + ", passed over. ")
	}
	if number == 0 {
		zh.WriteString("没有可用的规则，按属地")
		en.WriteString("No rule decides, so by territory")
	} else {
		z, e := w.conditions(rule, f)
		zh.WriteString("规则 " + itoa(int64(number)) + "：" + z)
		en.WriteString("Rule " + itoa(int64(number)) + ": " + e)
	}
	where := w.where(f)
	zh.WriteString("，" + where.ZH + "，由" + lead.Name.ZH + "负责（" + w.standing(lead).ZH + "）")
	en.WriteString(", " + where.EN + ": " + english(lead.Name) + " leads (" + w.standing(lead).EN + ")")
	if len(support) > 0 {
		var z, e []string
		for _, u := range support {
			z, e = append(z, u.Name.ZH), append(e, english(u.Name))
		}
		zh.WriteString("，" + strings.Join(z, "、") + "协同")
		en.WriteString("; " + strings.Join(e, ", ") + " support")
		if len(support) == 1 {
			en.WriteString("s")
		}
	}
	zh.WriteString("。")
	en.WriteString(".")
	return worktime.Words{ZH: zh.String(), EN: en.String()}
}

func (p *passing) words() (zh, en string) {
	if p.unit == nil {
		if p.party.Kind != "" {
			k := kindWords[p.party.Kind]
			return "此处没有" + k.ZH, k.EN + " is not there"
		}
		return "单位 " + itoa(int64(p.party.Unit)) + " 不存在", "unit " + itoa(int64(p.party.Unit)) + " is not there"
	}
	return p.unit.Name.ZH + whyWords[p.why].ZH, english(p.unit.Name) + " " + whyWords[p.why].EN
}

// conditions says what made the rule fit.
func (w *World) conditions(r *Rule, f *Facts) (zh, en string) {
	var z, e []string
	add := func(zh, en string) { z, e = append(z, zh), append(e, en) }
	switch {
	case len(r.Items) > 0:
		add(strings.TrimSpace("事项 "+f.Item+" "+f.ItemName.ZH), strings.TrimSpace("item "+f.Item+" "+english(f.ItemName)))
	case len(r.Aspects) > 0:
		add("类别 "+f.Aspect, "aspect "+f.Aspect)
	default:
		add("所有事项", "all items")
	}
	if len(r.Kinds) > 0 {
		add(kindsZH[f.Kind], f.Kind)
	}
	switch r.Hours {
	case AtWork:
		add("工作时间内", "within working hours")
	case OffWork:
		add("工作时间外", "outside working hours")
	}
	return strings.Join(z, "，"), strings.Join(e, ", ")
}

var kindsZH = map[string]string{"inquiry": "咨询", "problem": "问题", "conflict": "矛盾"}

// where names the town and village of a case.
func (w *World) where(f *Facts) worktime.Words {
	if f.Cell.Grid == "" {
		return worktime.Words{ZH: "未归入网格", EN: "in no grid"}
	}
	out := worktime.Words{}
	for _, a := range []policy.Area{{Level: policy.Town, Code: f.Cell.Town}, {Level: policy.Village, Code: f.Cell.Village}} {
		if a.Code == "" {
			continue
		}
		n := w.Name(a)
		out.ZH += n.ZH
		if e := english(n); out.EN == "" {
			out.EN = e
		} else {
			out.EN = e + ", " + out.EN
		}
	}
	if out.ZH == "" {
		out = w.Name(policy.Area{Level: policy.Grid, Code: f.Cell.Grid})
	}
	out.EN = "in " + english(out)
	return out
}

// standing is how a unit stands.
func (w *World) standing(u *Unit) worktime.Words {
	load := itoa(int64(w.Load(u.ID)))
	out := worktime.Words{ZH: "人员 " + itoa(int64(u.Members)) + " 人", EN: itoa(int64(u.Members)) + " people"}
	if u.OnShift >= 0 {
		out = worktime.Words{ZH: "在岗 " + itoa(int64(u.OnShift)) + " 人", EN: itoa(int64(u.OnShift)) + " on shift"}
	}
	if why := dutyWords[u.Duty]; u.OnShift >= 0 && u.Duty != Led {
		out = worktime.Words{ZH: out.ZH + "，" + why.ZH, EN: out.EN + ", " + why.EN}
	}
	if u.Away > 0 {
		out = worktime.Words{ZH: out.ZH + "，请假 " + itoa(int64(u.Away)) + " 人", EN: out.EN + ", " + itoa(int64(u.Away)) + " on leave"}
	}
	return worktime.Words{ZH: out.ZH + "，在办 " + load + " 件", EN: out.EN + ", " + load + " open"}
}

// dutyWords say who takes a case where nobody leads the shift.
var dutyWords = map[Duty]worktime.Words{
	NoLeader: {ZH: "无人带班，由单位负责人带班", EN: "nobody leads the shift: the unit's head does"},
	Hole:     {ZH: "值班表此刻空缺，由单位负责人接办", EN: "a hole in the roster: the unit's head takes it"},
	OffHours: {ZH: "非值班时间，由单位负责人接办", EN: "outside of its hours: the unit's head takes it"},
}

// english is the English words, or the Chinese ones where there are none.
func english(w worktime.Words) string {
	if w.EN != "" {
		return w.EN
	}
	return w.ZH
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// ByHand are the words of a decision that somebody made, with the reason that was given.
func ByHand(lead worktime.Words, supporting []worktime.Words, reason string) worktime.Words {
	zh, en := "人工指定由"+lead.ZH+"负责", english(lead)+" leads, chosen by hand"
	if len(supporting) > 0 {
		var z, e []string
		for _, s := range supporting {
			z, e = append(z, s.ZH), append(e, english(s))
		}
		zh += "，" + strings.Join(z, "、") + "协同"
		en += ", with " + strings.Join(e, ", ")
	}
	return worktime.Words{ZH: zh + "。理由：" + reason, EN: en + ". Reason: " + reason}
}
