package worktime

import (
	_ "embed" // the list of China's days
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gridgov/internal/fault"
)

// Holidays is a published list of days that differ, for the Years and Days of a Document.
type Holidays struct {
	Publisher string `json:"publisher"`
	Source    string `json:"source"`
	Version   string `json:"version"`
	Licence   string `json:"licence"`
	Years     []int  `json:"years"`
	Days      []Day  `json:"days"`
}

//go:embed data/china.json
var chinaJSON []byte

// China lists the public holidays and shifted workdays of the People's Republic for 2024 to 2026, as the State Council
// announced them each year before.
func China() Holidays {
	var h Holidays
	if err := json.Unmarshal(chinaJSON, &h); err != nil {
		panic("worktime: data/china.json: " + err.Error()) // it is embedded, and a test reads it
	}
	return h
}

// federal is one public holiday of the United States (5 U.S.C. 6103).
type federal struct {
	since  int // the first year
	name   Words
	date   func(year int) Date
	placed bool // it has a date, and so is observed on the Friday before a Saturday and the Monday after a Sunday
}

var federals = []federal{
	{1870, Words{"元旦", "New Year's Day"}, fixed(time.January, 1), true},
	{1986, Words{"马丁·路德·金日", "Birthday of Martin Luther King, Jr."}, nth(time.January, time.Monday, 3), false},
	{1971, Words{"华盛顿诞辰", "Washington's Birthday"}, nth(time.February, time.Monday, 3), false},
	{1971, Words{"阵亡将士纪念日", "Memorial Day"}, nth(time.May, time.Monday, -1), false},
	{2021, Words{"六月节", "Juneteenth National Independence Day"}, fixed(time.June, 19), true},
	{1870, Words{"独立日", "Independence Day"}, fixed(time.July, 4), true},
	{1894, Words{"劳动节", "Labor Day"}, nth(time.September, time.Monday, 1), false},
	{1971, Words{"哥伦布日", "Columbus Day"}, nth(time.October, time.Monday, 2), false},
	{1978, Words{"退伍军人节", "Veterans Day"}, fixed(time.November, 11), true},
	{1942, Words{"感恩节", "Thanksgiving Day"}, nth(time.November, time.Thursday, 4), false},
	{1870, Words{"圣诞节", "Christmas Day"}, fixed(time.December, 25), true},
}

// fixed is a holiday with a date.
func fixed(month time.Month, day int) func(int) Date {
	return func(year int) Date { return DateOf(year, month, day) }
}

// nth is a holiday on the n-th weekday of a month; -1 is the last.
func nth(month time.Month, weekday time.Weekday, n int) func(int) Date {
	return func(year int) Date {
		if n < 0 {
			last := DateOf(year, month+1, 0)
			return last - Date((int(last.Weekday())-int(weekday)+7)%7)
		}
		first := DateOf(year, month, 1)
		return first + Date((int(weekday)-int(first.Weekday())+7)%7+7*(n-1))
	}
}

// observed moves a holiday with a date off the weekend.
func observed(d Date) Date {
	switch d.Weekday() {
	case time.Saturday:
		return d - 1
	case time.Sunday:
		return d + 1
	}
	return d
}

// USFederal lists the federal holidays of the United States for the years from 1986 on, by rule, on the days on which
// offices of five days' weeks observe them: a holiday on a Saturday is kept on the Friday before it, one on a Sunday on the
// Monday after. With washington Inauguration Day is among them (20 January after an election, Monday the 21st where that
// is a Sunday, not observed elsewhere where it is a Saturday), which is a holiday in and around Washington, DC, alone.
// Years out of range or reversed are refused with code out_of_range.
func USFederal(from, to int, washington bool) (Holidays, error) {
	if from < 1986 || to >= Horizon.Year() || from > to {
		return Holidays{}, fault.Invalid("years", "out_of_range", "federal holidays are known from 1986 to %d, not from %d to %d", Horizon.Year()-1, from, to)
	}
	h := Holidays{Publisher: "United States Code", Source: "5 U.S.C. 6103", Version: fmt.Sprintf("%d-%d", from, to), Licence: "public domain"}
	names := map[Date]Words{}
	for year := from; year <= to+1; year++ { // New Year's Day of the year after may be observed within
		for _, f := range federals {
			date := f.date(year)
			if f.placed {
				date = observed(date)
			}
			if year >= f.since && date.Year() >= from && date.Year() <= to {
				names[date] = f.name
			}
		}
		inauguration := DateOf(year, time.January, 20)
		if inauguration.Weekday() == time.Sunday {
			inauguration++
		}
		if washington && year%4 == 1 && year <= to && inauguration.Weekday() != time.Saturday {
			// Where it is Martin Luther King's day too, the older name stays.
			if _, taken := names[inauguration]; !taken {
				names[inauguration] = Words{"总统就职日", "Inauguration Day"}
			}
		}
	}
	for year := from; year <= to; year++ {
		h.Years = append(h.Years, year)
	}
	for date, name := range names {
		h.Days = append(h.Days, Day{Date: date, Kind: KindHoliday, Words: name})
	}
	slices.SortFunc(h.Days, func(a, b Day) int { return int(a.Date - b.Date) })
	return h, nil
}

// InChina tells whether a zone is one of China's.
func InChina(zone string) bool {
	switch zone {
	case "Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Kashgar", "PRC":
		return true
	}
	return false
}
