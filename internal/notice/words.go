package notice

import (
	"fmt"
	"time"

	"gridgov/internal/casework"
	"gridgov/internal/worktime"
)

// clockNames say what a clock counts.
var clockNames = map[casework.ClockKind]worktime.Words{
	casework.DeskClock:     {ZH: "派遣时限", EN: "time to dispatch"},
	casework.ConfirmClock:  {ZH: "现场核实时限", EN: "time to look on the spot"},
	casework.SelfClock:     {ZH: "自办自结时限", EN: "time to settle it on the spot"},
	casework.ReceiveClock:  {ZH: "签收时限", EN: "time to take it up"},
	casework.FirstClock:    {ZH: "到场时限", EN: "time to be on the scene"},
	casework.DisposalClock: {ZH: "处置时限", EN: "time to dispose of it"},
	casework.VerifyClock:   {ZH: "核查时限", EN: "time to verify"},
	casework.ReviewClock:   {ZH: "挂账复核时限", EN: "time to review the suspension"},
}

// whyWords say why somebody is told, in a mail; the page has its own.
var whyWords = map[Why]worktime.Words{
	Handler:    {ZH: "您是承办人", EN: "you have it in hand"},
	DutyLeader: {ZH: "您是责任单位值班长", EN: "you lead the shift of the unit that answers for it"},
	UnitHead:   {ZH: "您是责任单位负责人", EN: "you head the unit that answers for it"},
	UnitPeople: {ZH: "您在责任单位工作", EN: "you work in the unit that answers for it"},
	OnTheSpot:  {ZH: "您负责该网格", EN: "you look after the grid"},
	Village:    {ZH: "您负责该村社", EN: "you answer for the village"},
	DeskPeople: {ZH: "您在指挥室值守", EN: "you work at the command centre's desk"},
	CentreHead: {ZH: "您是指挥室负责人", EN: "you head the command centre"},
	TownLeader: {ZH: "您是镇街负责人", EN: "you lead the town"},
	Runs:       {ZH: "您是管理员，且无其他可通知的人", EN: "you run the service, and nobody else is there to be told"},
	Quicker:    {ZH: "您先办理了此案", EN: "you were quicker"},
}

// lateNames say what came too late.
var lateNames = map[casework.Act]worktime.Words{
	casework.Confirm:    {ZH: "现场核实", EN: "a look on the spot"},
	casework.SelfSettle: {ZH: "自办", EN: "settling it on the spot"},
	casework.Settle:     {ZH: "自结", EN: "having settled it on the spot"},
	casework.FeedBack:   {ZH: "反馈", EN: "a feedback"},
	casework.Verify:     {ZH: "核查通过", EN: "a verification"},
	casework.SendBack:   {ZH: "核查退回", EN: "a verification that sends it back"},
	casework.Note:       {ZH: "备注", EN: "a note"},
}

// lateWords tell of an act that came too late. Like [wordsOf] they hold nothing that anybody wrote, nor who it was.
func lateWords(ref casework.Ref, item worktime.Words, act casework.Act) worktime.Words {
	name := lateNames[act]
	return worktime.Words{ZH: fmt.Sprintf("案件 %s（%s）办理后，另有“%s”晚到，未改变办理结果，内容见办理经过", ref, item.ZH, name.ZH),
		EN: fmt.Sprintf("Case %s (%s): %s came after somebody was quicker and changed nothing; the history has what it says", ref, item.EN, name.EN)}
}

// wordsOf tell of a step. They hold numbers, codes and what the city's list calls an item: nothing that anybody wrote.
func wordsOf(step Step, ref casework.Ref, item worktime.Words, clock casework.ClockKind, due time.Time, zone *time.Location) worktime.Words {
	name, at := clockNames[clock], due.In(zone)
	zh, en := at.Format("1月2日 15:04"), at.Format("2 Jan 15:04")
	switch step {
	case Amber:
		return worktime.Words{ZH: fmt.Sprintf("案件 %s（%s）%s已用去 80%%，%s到期", ref, item.ZH, name.ZH, zh),
			EN: fmt.Sprintf("Case %s (%s): 80%% of the %s is used; due %s", ref, item.EN, name.EN, en)}
	case Red:
		return worktime.Words{ZH: fmt.Sprintf("案件 %s（%s）已超%s，%s到期", ref, item.ZH, name.ZH, zh),
			EN: fmt.Sprintf("Case %s (%s): the %s is over since %s", ref, item.EN, name.EN, en)}
	}
	return worktime.Words{ZH: fmt.Sprintf("案件 %s（%s）超%s后仍未办结，转为督办；%s到期", ref, item.ZH, name.ZH, zh),
		EN: fmt.Sprintf("Case %s (%s): still overdue, the %s was over %s; the town looks after it now", ref, item.EN, name.EN, en)}
}
