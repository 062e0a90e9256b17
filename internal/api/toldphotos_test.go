package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/contact"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
)

// announce names photos that are to come with a report.
func announce(photos ...any) filing {
	list := []filing{}
	for i := 0; i < len(photos); i += 2 {
		list = append(list, filing{"id": photos[i], "bytes": photos[i+1]})
	}
	return filing{"photos": list}
}

// told files a report with photos that are to come.
func (v *village) told(photos ...any) (out api.ToldReport) {
	v.t.Helper()
	v.do("POST", "/public/reports", telling("sms", phone, v.code("sms", phone), announce(photos...))).want(201).into(&out)
	return out
}

func (s *site) toldBegin(secret, id string, length int) answer {
	s.t.Helper()
	return s.tus("POST", "/public/uploads", nil, "Report-Secret: "+secret, "Upload-Length: "+strconv.Itoa(length), "Upload-Metadata: id "+b64(id))
}

func (s *site) toldPart(secret, id string, offset int, b []byte) answer {
	s.t.Helper()
	return s.tus("PATCH", "/public/uploads/"+id, bytes.NewReader(b), "Report-Secret: "+secret, "Upload-Offset: "+strconv.Itoa(offset))
}

func (s *site) follow(secret string) (out api.FollowedReport) {
	s.t.Helper()
	s.do("POST", "/public/follow", filing{"secret": secret}).want(200).into(&out)
	return out
}

// The whole way of a resident's photo: announced with the report, sent in pieces over a line that breaks, and shown with the report to
// who works on it, once; never to anybody before.
func TestToldPhotos(t *testing.T) {
	v := newVillage(t)
	var options api.ReportOptions
	v.do("GET", "/public/reports/options", nil).want(200).into(&options)
	if options.Photos == nil || *options.Photos != photo.MaxTold {
		t.Fatalf("%+v", options)
	}
	file, id := aPhoto(t, 1), aUUID()
	told := v.told(id, len(file))
	if p := told.Report.Photos; p == nil || p.Coming != 1 || p.Ready != 0 {
		t.Fatalf("%+v", told.Report)
	}
	desk, _ := apptest.SignIn(t, v.live.City, apptest.Post(policy.Desk, apptest.CityArea))
	staff := v.as(desk)
	shown := func() []api.CasePhoto {
		var d api.CaseDetail
		staff.do("GET", "/cases/"+strconv.Itoa(told.Report.Num), nil).want(200).into(&d)
		return d.Photos
	}

	a := v.toldBegin(told.Secret, id, len(file)).want(200)
	if a.header.Get("Location") != "/"+v.live.Code+"/v1/public/uploads/"+id || a.header.Get("Upload-Offset") != "0" {
		t.Errorf("%v", a.header)
	}
	half := len(file) / 2
	v.toldPart(told.Secret, id, 0, file[:half]).want(204)
	v.toldPart(told.Secret, id, 0, file[:half]).problem(409, "wrong_offset", "")
	if len(shown()) != 0 {
		t.Error("half a photo is shown")
	}
	staff.do("GET", "/photos/"+id, nil).problem(404, "not_found", "")
	h := v.tus("HEAD", "/public/uploads/"+id, nil, "Report-Secret: "+told.Secret).want(200)
	if h.header.Get("Upload-Offset") != strconv.Itoa(half) || h.header.Get("Upload-Length") != strconv.Itoa(len(file)) {
		t.Errorf("%v", h.header)
	}
	v.toldPart(told.Secret, id, half, file[half:]).want(204)
	v.toldPart(told.Secret, id, len(file), nil).problem(409, "upload_finished", "")
	v.toldBegin(told.Secret, id, len(file)).want(200)
	if p := v.follow(told.Secret).Photos; p == nil || *p != (api.ToldPhotos{Ready: 1}) {
		t.Errorf("%+v", p)
	}
	if list := shown(); len(list) != 1 || list[0].Id != uuid.MustParse(id) || list[0].Act != 0 {
		t.Errorf("%+v", list)
	}
	staff.do("GET", "/photos/"+id+"/large", nil).want(200)

	// Whoever holds the link is not shown what it shows, nor is anybody else.
	v.do("GET", "/photos/"+id, nil).problem(401, "sign_in", "")
	v.do("GET", "/photos/"+id+"/large", nil).problem(401, "sign_in", "")
	afar, _ := apptest.SignIn(t, v.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	v.as(afar).do("GET", "/photos/"+id, nil).problem(404, "not_found", "")
}

// Nothing is taken in but what a confirmed report announced, by whoever holds its secret, within its bounds.
func TestHostileToldPhotos(t *testing.T) {
	v := newVillage(t)
	file := aPhoto(t, 2)
	id, other := aUUID(), aUUID()

	// Nobody is confirmed: nothing is begun, and nothing is kept of what was announced.
	v.do("POST", "/public/reports", telling("sms", phone, "123456", announce(id, len(file)))).problem(400, "wrong_code", "code")
	v.tus("POST", "/public/uploads", nil, "Upload-Length: 9", "Upload-Metadata: id "+b64(id)).problem(400, "required", "Report-Secret")
	v.toldBegin("A", id, len(file)).problem(404, "not_found", "")
	v.toldBegin(fmt.Sprintf("%043d", 0), id, len(file)).problem(404, "not_found", "")
	v.begin(id, len(file)).problem(401, "sign_in", "")
	var n int
	if err := v.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM photo`).Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d photos, %v", n, err)
	}

	code := v.code("sms", phone)
	for what, c := range map[string]struct {
		f           filing
		status      int
		code, field string
	}{
		"four":      {announce(aUUID(), 9, aUUID(), 9, aUUID(), 9, aUUID(), 9), 400, "too_many", "photos"},
		"twice":     {announce(id, 9, id, 9), 400, "repeated", "photos[1]"},
		"empty":     {announce(id, 0), 400, "out_of_range", "photos[0]"},
		"too large": {announce(id, photo.MaxToldBytes+1), 413, "too_large", "photos[0]"},
		"no id":     {announce("../../etc", 9), 400, "bad_uuid", "photos[0].id"},
	} {
		t.Log(what)
		v.do("POST", "/public/reports", telling("sms", phone, code, c.f)).problem(c.status, c.code, c.field)
	}
	f := telling("sms", phone, code, announce(id, len(file)))
	var mine api.ToldReport
	v.do("POST", "/public/reports", f).want(201).into(&mine)

	// The same again changes nothing; more than three there cannot be, whatever is announced with the same code.
	v.pass(3 * time.Second)
	v.do("POST", "/public/reports", f).want(200)
	f["photos"] = announce(aUUID(), 9, aUUID(), 9, aUUID(), 9)["photos"]
	v.do("POST", "/public/reports", f).problem(409, "too_many", "")
	f["photos"] = announce(id, len(file)+1)["photos"]
	v.do("POST", "/public/reports", f).problem(409, "id_taken", "photos")

	// What was not announced there is not; another's is not there; one's own photo of the service is another lane's.
	v.toldBegin(mine.Secret, other, len(file)).problem(404, "not_found", "")
	v.toldBegin(mine.Secret, id, len(file)+1).problem(409, "other_length", "")
	v.do("POST", "/public/reports", telling("email", inbox, v.code("email", inbox), announce(id, len(file)))).problem(409, "id_taken", "photos")
	var theirs api.ToldReport
	v.do("POST", "/public/reports", telling("email", inbox, v.code("email", inbox), announce(other, len(file)))).want(201).into(&theirs)
	v.toldBegin(theirs.Secret, id, len(file)).problem(404, "not_found", "")
	v.toldPart(theirs.Secret, id, 0, file).problem(404, "not_found", "")
	v.tus("HEAD", "/public/uploads/"+id, nil, "Report-Secret: "+theirs.Secret).want(404)
	v.tus("DELETE", "/public/uploads/"+id, nil, "Report-Secret: "+mine.Secret).want(http.StatusMethodNotAllowed)
	staffs := v.admin.as(func() string {
		c, _ := apptest.SignIn(t, v.live.City, apptest.Post(policy.Desk, apptest.CityArea))
		return c
	}())
	staffs.part(id, 0, file).problem(404, "not_found", "")
	staffs.tus("DELETE", "/uploads/"+id, nil).problem(404, "not_found", "")
	staffs.do("POST", "/reports", aReport(0, 0, filing{"photos": []string{id}})).problem(400, "unknown_photo", "photos")
	own := staffs.uploaded(aPhoto(t, 3))
	v.toldPart(mine.Secret, own, 0, file).problem(404, "not_found", "")

	// Bytes that are no picture are refused, and nothing of them is kept; more than was announced is not read.
	v.toldPart(mine.Secret, id, 0, append(bytes.Clone(file), 1)).problem(413, "too_large", "body")
	v.toldPart(mine.Secret, id, 0, bytes.Repeat([]byte("<script>"), len(file))[:len(file)]).want(204)
	if p := v.follow(mine.Secret).Photos; p == nil || *p != (api.ToldPhotos{Refused: 1}) {
		t.Errorf("%+v", p)
	}
	if err := v.live.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM photo_use WHERE report_num = $1) + (SELECT count(*) FROM photo_file WHERE photo_id = $2)`,
		mine.Report.Num, id).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d traces of what is no photo, %v", n, err)
	}

	// A city that takes no more reports takes no more photos.
	v.admin.do("PUT", "/settings/messages", filing{"resident_reports": false}).want(200)
	v.settle()
	v.toldPart(theirs.Secret, other, 0, file).problem(401, "sign_in", "")
}

// Each code buys three photos at most, and codes are few: so a number, an address and the city are bounded.
func TestToldPhotosAreFew(t *testing.T) {
	v := newVillage(t)
	for range 8 {
		v.do("POST", "/public/codes", filing{"channel": "sms", "to": phone}).want(202)
		v.pass(time.Minute)
	}
	v.do("POST", "/public/codes", filing{"channel": "sms", "to": "13900139000"}).want(202)
	sent := 0
	for i := 0; ; i++ {
		if v.post.next(i).to != phone {
			break
		}
		sent++
	}
	if sent > 5 {
		t.Errorf("%d codes in eight minutes are %d photos of one number", sent, sent*photo.MaxTold)
	}
}

// An announced photo that does not come is not waited for after a week; one that came stays.
func TestToldPhotosExpire(t *testing.T) {
	v := newVillage(t)
	file, came, never := aPhoto(t, 4), aUUID(), aUUID()
	told := v.told(came, len(file), never, len(file))
	v.toldPart(told.Secret, came, 0, file).want(204)
	v.toldPart(told.Secret, never, 0, file[:len(file)/2]).want(204)
	sweep := func() {
		t.Helper()
		if err := v.live.Photos.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	v.pass(photo.ToldAge - time.Second)
	sweep()
	if p := v.follow(told.Secret).Photos; *p != (api.ToldPhotos{Ready: 1, Coming: 1}) {
		t.Errorf("%+v", p)
	}
	v.pass(time.Second)
	v.toldBegin(told.Secret, never, len(file)).problem(404, "not_found", "")
	sweep()
	v.pass(10 * photo.ToldAge)
	sweep()
	if p := v.follow(told.Secret).Photos; *p != (api.ToldPhotos{Ready: 1}) {
		t.Errorf("%+v", p)
	}
}

// Who is erased takes along photos that came, and those that were still to come; until then they are handed out.
func TestErasedToldPhotos(t *testing.T) {
	v := newVillage(t)
	file, came, half := aPhoto(t, 5), aUUID(), aUUID()
	told := v.told(came, len(file), half, len(file))
	v.toldPart(told.Secret, came, 0, file).want(204)
	v.toldPart(told.Secret, half, 0, file[:len(file)/2]).want(204)
	id, err := v.live.Contacts.Find(t.Context(), phone)
	if err != nil {
		t.Fatal(err)
	}
	held, err := v.live.Contacts.Export(t.Context(), id)
	if err != nil || len(held.Photos) != 2 || int(held.Photos[0].Report) != told.Report.Num {
		t.Errorf("handed out: %+v, %v", held.Photos, err)
	}
	if _, err := v.live.Contacts.Erase(t.Context(), id, contact.EraseOptions{}); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := v.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM photo`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d photos are left, %v", n, err)
	}
	v.toldPart(told.Secret, half, len(file)/2, file[len(file)/2:]).problem(404, "not_found", "")
}

// A volunteer with an account works with the phone app: everything that it asks of the service is answered as it expects, and what
// volunteers may not is refused.
func TestVolunteersUseThePhoneApp(t *testing.T) {
	s := newSite(t)
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Volunteer, apptest.VillageArea(0, 0)))
	v := s.as(token)
	v.do("GET", "/field/ground", nil).problem(403, "not_allowed", "") // the app says that it holds no ground, and goes on
	for _, path := range []string{"/", "/session", "/cases?limit=100", "/patrols/points", "/account/push"} {
		v.do("GET", path, nil).want(200)
	}
	id := v.uploaded(aPhoto(t, 6))
	var told api.Report
	v.do("POST", "/reports", aReport(0, 0, filing{"source": "phone", "photos": []string{id}})).want(201).into(&told)
	v.do("GET", "/photos/"+id, nil).want(200)
	var point api.PatrolPoint
	s.do("POST", "/patrols/points", filing{"name": "桥头", "lon": aReport(0, 0)["lon"], "lat": aReport(0, 0)["lat"], "rhythm_days": 7}).want(201).into(&point)
	v.do("POST", "/patrols/visits", filing{"id": aUUID(), "point": point.Id, "at": apptest.Now.Format(time.RFC3339), "lon": point.Lon, "lat": point.Lat, "accuracy_m": 8}).want(201)
	var d api.CaseDetail
	v.do("GET", "/cases/"+strconv.Itoa(told.Num), nil).want(200).into(&d)
	v.do("POST", "/cases/"+strconv.Itoa(told.Num)+"/acts", filing{"version": d.Case.Version, "act": "self_settle"}).problem(403, "not_allowed", "")
}
