package api_test

import (
	"bytes"
	"net/http"
	"os"
	"strconv"
	"testing"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
	"gridgov/internal/voice"
)

func (s *site) said(file []byte) string {
	s.t.Helper()
	id := aUUID()
	s.tus("POST", "/uploads", nil, "Upload-Length: "+strconv.Itoa(len(file)), "Upload-Metadata: id "+b64(id)+",kind "+b64("voice")).want(http.StatusCreated)
	s.part(id, 0, file).want(http.StatusNoContent)
	return id
}

// What somebody says is heard on the report by who sees its photos, and in parts.
func TestVoiceOfAReport(t *testing.T) {
	s := newSite(t)
	as := func(role policy.Role, area policy.Area) *site {
		token, _ := apptest.SignIn(t, s.live.City, apptest.Post(role, area))
		return s.as(token)
	}
	worker := as(policy.GridWorker, apptest.GridArea(1, 1))
	file, err := os.ReadFile("../voice/testdata/tagged.webm")
	if err != nil {
		t.Fatal(err)
	}
	sound, refused := voice.Read(file)
	if refused != nil {
		t.Fatal(refused)
	}
	id := worker.said(file)

	// While no report has it, it is its speaker's alone.
	var known api.Voice
	worker.do("GET", "/voices/"+id, nil).want(http.StatusOK).into(&known)
	if known.State != "ready" || known.Seconds == nil || *known.Seconds != 1.92 || known.Type == nil || *known.Type != voice.WebM || known.Report != nil {
		t.Errorf("%+v", known)
	}
	desk := as(policy.Desk, apptest.CityArea)
	desk.do("GET", "/voices/"+id+"/sound", nil).problem(404, "not_found", "")
	worker.do("GET", "/photos/"+id, nil).problem(404, "not_found", "")
	worker.do("GET", "/photos/"+id+"/original", nil).problem(404, "not_found", "")
	picture := worker.uploaded(aPhoto(t, 3))
	worker.do("GET", "/voices/"+picture, nil).problem(404, "not_found", "")
	worker.do("GET", "/voices/"+picture+"/sound", nil).problem(404, "not_found", "")
	worker.do("POST", "/reports", aReport(1, 1, filing{"voice": picture})).problem(400, "unknown_voice", "voice")
	worker.do("POST", "/reports", aReport(1, 1, filing{"photos": []string{id}})).problem(400, "unknown_photo", "photos")
	desk.do("POST", "/reports", aReport(1, 1, filing{"voice": id})).problem(400, "unknown_voice", "voice")

	told := aReport(1, 1, filing{"voice": id, "photos": []string{picture}})
	filed := worker.file(told)
	if filed.Voice == nil || filed.Voice.Id.String() != id || filed.Voice.Seconds != 1.92 || filed.Voice.Type != voice.WebM {
		t.Fatalf("%+v", filed.Voice)
	}
	var again api.Report
	worker.do("POST", "/reports", told).want(http.StatusOK).into(&again)
	if again.Num != filed.Num || again.Voice == nil {
		t.Errorf("told again: %+v", again)
	}
	told["voice"] = aUUID()
	worker.do("POST", "/reports", told).problem(409, "other_content", "id")
	worker.do("POST", "/reports", aReport(1, 1, filing{"voice": id})).problem(409, "voice_used", "")

	for name, c := range map[string]struct {
		who   *site
		hears bool
	}{
		"the desk": {desk, true}, "the town's leader": {as(policy.TownLeader, apptest.TownArea), true},
		"another grid's worker": {as(policy.GridWorker, apptest.GridArea(3, 3)), false},
		"a planner":             {as(policy.Planner, apptest.CityArea), false}, "the administrator": {as(policy.Administrator, apptest.CityArea), false},
	} {
		var one api.Report
		if got := c.who.do("GET", "/reports/"+num(filed.Num), nil); got.status == http.StatusOK {
			got.into(&one)
		}
		if (one.Voice != nil) != c.hears {
			t.Errorf("%s is told %+v", name, one.Voice)
		}
		if got := c.who.do("GET", "/voices/"+id+"/sound", nil); (got.status == http.StatusOK) != c.hears {
			t.Errorf("%s: %d", name, got.status)
		}
	}

	whole := desk.do("GET", "/voices/"+id+"/sound", nil).want(http.StatusOK)
	if !bytes.Equal(whole.body, sound.Bytes) || bytes.Contains(whole.body, []byte("家在长安")) {
		t.Error("it is not what was said, or more")
	}
	for name, want := range map[string]string{"Content-Type": "audio/webm", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes",
		"Content-Disposition": `inline; filename="voice-` + id + `.webm"`, "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"} {
		if got := whole.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	part := desk.tus("GET", "/voices/"+id+"/sound", nil, "Range: bytes=100-199").want(http.StatusPartialContent)
	if !bytes.Equal(part.body, sound.Bytes[100:200]) || part.header.Get("Content-Range") != "bytes 100-199/"+strconv.Itoa(len(sound.Bytes)) {
		t.Errorf("a part: %d bytes, %s", len(part.body), part.header.Get("Content-Range"))
	}
	desk.tus("GET", "/voices/"+id+"/sound", nil, "Range: bytes=9000000-").want(http.StatusRequestedRangeNotSatisfiable)
	desk.tus("GET", "/voices/"+id+"/sound", nil, "If-None-Match: "+whole.header.Get("ETag")).want(http.StatusNotModified)
	if got := desk.do("HEAD", "/voices/"+id+"/sound", nil).want(http.StatusOK); len(got.body) != 0 || got.header.Get("Content-Length") != strconv.Itoa(len(sound.Bytes)) {
		t.Errorf("its head: %v", got.header)
	}
	desk.do("GET", "/voices/"+id+"/sound?x=1", nil).problem(400, "unknown_parameter", "x")
}

// What an upload is to be is said once, and rightly.
func TestVoiceMetadata(t *testing.T) {
	s := newSite(t)
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	w := s.as(token)
	for _, more := range []string{",kind " + b64("film"), ",kind", ",kind " + b64("voice") + ",kind " + b64("voice"), ",kind !!", ",kind " + b64("Voice")} {
		w.tus("POST", "/uploads", nil, "Upload-Length: 2000", "Upload-Metadata: id "+b64(aUUID())+more).problem(400, "bad_metadata", "Upload-Metadata")
	}
	w.tus("POST", "/uploads", nil, "Upload-Length: 2097153", "Upload-Metadata: id "+b64(aUUID())+",kind "+b64("voice")).problem(413, "too_large", "Upload-Length")
	w.tus("POST", "/uploads", nil, "Upload-Length: 2000", "Upload-Metadata: kind "+b64("photo")+",id "+b64(aUUID())).want(http.StatusCreated)
}
