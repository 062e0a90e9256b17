package api_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/app/apptest"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// A case shows the photos of its report and of its acts to who may see them, in words of how far they are from the report; who
// told the report sees what came with it, and not what those who work with it show each other.
func TestACaseShowsItsPhotos(t *testing.T) {
	b := newBureau(t)
	token, person := apptest.SignIn(t, b.live.City, apptest.Post(policy.Resident, apptest.CityArea))
	teller := b.as(token)
	filed := teller.file(aReport(1, 1))
	ref := num(filed.Num)
	if got := b.desk.matter(ref).Photos; got == nil || len(got) != 0 {
		t.Errorf("without any it has %+v", got)
	}
	first := apptest.Photo(t, b.live.City, person)
	b.attach(person, first.String(), photo.Use{Report: report.Num(filed.Num)})
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	b.leader.acts(ref, nil, "receive")
	b.member.acts(ref, nil, "claim", "begin")
	proof := b.member.photo()
	b.member.act(ref, "feed_back", obj{"evidence": []string{proof}, "settled_by": "town_team"}).want(200)

	got := b.member.matter(ref)
	if len(got.Photos) != 2 || got.Photos[0].Id != first || got.Photos[0].Act != 0 || got.Photos[1].Id != uuid.MustParse(proof) || got.Photos[1].Act != got.Case.Version {
		t.Fatalf("who works on it sees %+v", got.Photos)
	}
	for _, p := range got.Photos {
		if !strings.Contains(p.Said.Zh, "照片没有位置") || !strings.Contains(p.Said.En, "no position") || p.Original == nil || !*p.Original || p.TakenAt != nil {
			t.Errorf("%+v", p)
		}
	}
	if got := teller.matter(ref).Photos; len(got) != 1 || got[0].Id != first {
		t.Errorf("who told it sees %+v", got)
	}
	// Who leads the town sees them as they are published, and no original.
	as := func(role policy.Role, area policy.Area) *site {
		token, _ := apptest.SignIn(t, b.live.City, apptest.Post(role, area))
		return b.as(token)
	}
	if got := as(policy.TownLeader, apptest.TownArea).matter(ref).Photos; len(got) != 2 || got[1].Original != nil {
		t.Errorf("a leader sees %+v", got)
	}
	b.stranger.do("GET", "/cases/"+ref, nil).problem(404, "not_found", "")
}

// A part shows its own photos and the report's; the whole case those of its parts, too.
func TestAPartShowsItsPhotos(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	b.desk.acts(ref, nil, "accept")
	b.desk.act(ref, "split", obj{"parts": []obj{{}, {}}}).want(200)
	ids := map[string]string{}
	for _, part := range []string{ref + "-2", ref + "-3"} {
		ids[part] = b.desk.photo()
		b.desk.act(part, "note", obj{"reason": "seen", "evidence": []string{ids[part]}}).want(200)
	}
	for part, id := range ids {
		if got := b.desk.matter(part).Photos; len(got) != 1 || got[0].Id.String() != id {
			t.Errorf("%s shows %+v", part, got)
		}
	}
	if got := b.desk.matter(ref).Photos; len(got) != 2 || got[0].Part == got[1].Part {
		t.Errorf("the whole shows %+v", got)
	}
}

func num(n int) string { return strconv.Itoa(n) }
