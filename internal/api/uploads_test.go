package api_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// aPhoto is a JPEG that no other is.
func aPhoto(t *testing.T, seed int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 90, 60))
	for i := range m.Pix {
		m.Pix[i] = uint8(i*5 + seed*i/4)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// tus sends a request of the protocol.
func (s *site) tus(method, path string, body io.Reader, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/"+s.live.Code+"/v1"+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return s.send(req)
}

func (s *site) begin(id string, length int) answer {
	s.t.Helper()
	return s.tus("POST", "/uploads", nil, "Upload-Length: "+strconv.Itoa(length), "Upload-Metadata: id "+b64(id)+",filename "+b64("王小明.jpg"))
}

// What the camera took is told with the photo that was made of it, and stays with it.
func TestWhatTheCameraTookIsTold(t *testing.T) {
	s := newSite(t)
	id, digest := aUUID(), strings.Repeat("0a", 32)
	s.tus("POST", "/uploads", nil, "Upload-Length: 9", "Upload-Metadata: id "+b64(id)+",taken "+b64(digest)).want(http.StatusCreated)
	s.begin(id, 9).want(http.StatusOK)
	var p, plain api.Photo
	s.do("GET", "/photos/"+id, nil).want(200).into(&p)
	s.do("GET", "/photos/"+s.photo(), nil).want(200).into(&plain)
	if p.TakenSha256 == nil || *p.TakenSha256 != digest || plain.TakenSha256 != nil {
		t.Errorf("%v, and where nothing was told %v", p.TakenSha256, plain.TakenSha256)
	}
}

func (s *site) part(id string, offset int, b []byte, headers ...string) answer {
	s.t.Helper()
	return s.tus("PATCH", "/uploads/"+id, bytes.NewReader(b), append(headers, "Upload-Offset: "+strconv.Itoa(offset))...)
}

func aUUID() string { return uuid.Must(uuid.NewV7()).String() }

// uploaded sends a photo and gives its id.
func (s *site) uploaded(file []byte) string {
	s.t.Helper()
	id := aUUID()
	s.begin(id, len(file)).want(http.StatusCreated)
	s.part(id, 0, file).want(http.StatusNoContent)
	return id
}

// attach links a photo as the acts of cases do.
func (s *site) attach(person uuid.UUID, id string, use photo.Use) {
	s.t.Helper()
	err := pgx.BeginFunc(s.t.Context(), s.live.Pool, func(tx pgx.Tx) error {
		return s.live.Photos.Use(s.t.Context(), tx, person, use, photo.ID(uuid.MustParse(id)))
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// attachVoice links a voice note as a report that is filed does.
func (s *site) attachVoice(person, id uuid.UUID, of report.Num) {
	s.t.Helper()
	err := pgx.BeginFunc(s.t.Context(), s.live.Pool, func(tx pgx.Tx) error {
		return s.live.Photos.UseVoice(s.t.Context(), tx, person, of, photo.ID(id))
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestTusUpload(t *testing.T) {
	s := newSite(t)
	file, id := aPhoto(t, 1), aUUID()
	o := s.do("OPTIONS", "/uploads", nil).want(http.StatusNoContent)
	if o.header.Get("Tus-Version") != "1.0.0" || o.header.Get("Tus-Max-Size") != "20971520" || !strings.Contains(o.header.Get("Tus-Extension"), "checksum") {
		t.Errorf("%v", o.header)
	}
	a := s.begin(id, len(file)).want(http.StatusCreated)
	where := "/" + s.live.Code + "/v1/uploads/" + id
	if a.header.Get("Location") != where || a.header.Get("Upload-Offset") != "0" || a.header.Get("Upload-Expires") != "Wed, 25 Nov 2026 08:00:00 GMT" || a.header.Get("Tus-Resumable") != "1.0.0" {
		t.Errorf("%v", a.header)
	}
	s.begin(id, len(file)).want(http.StatusOK)
	s.begin(id, len(file)+1).problem(409, "id_taken", "id")
	half := len(file) / 2
	s.part(id, 0, file[:half]).want(http.StatusNoContent)
	h := s.tus("HEAD", "/uploads/"+id, nil).want(http.StatusOK)
	if h.header.Get("Upload-Offset") != strconv.Itoa(half) || h.header.Get("Upload-Length") != strconv.Itoa(len(file)) || h.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", h.header)
	}
	s.part(id, 0, file[:half]).problem(409, "wrong_offset", "")
	s.part(id, half+1, file[half+1:]).problem(409, "wrong_offset", "")
	wrong := sha256.Sum256([]byte("something else"))
	s.part(id, half, file[half:], "Upload-Checksum: sha256 "+b64(string(wrong[:]))).problem(460, "checksum_mismatch", "Upload-Checksum")
	s.part(id, half, file[half:], "Upload-Checksum: crc32 AAAA").problem(400, "unknown_value", "Upload-Checksum")
	s.part(id, half, file[half:], "Upload-Checksum: sha1 AAAA").problem(400, "bad_checksum", "Upload-Checksum")
	middle := (half + len(file)) / 2
	sum1 := sha1.Sum(file[half:middle])
	s.part(id, half, file[half:middle], "Upload-Checksum: sha1 "+b64(string(sum1[:]))).want(http.StatusNoContent)
	sum256 := sha256.Sum256(file[middle:])
	last := s.part(id, middle, file[middle:], "Upload-Checksum: sha256 "+b64(string(sum256[:]))).want(http.StatusNoContent)
	if last.header.Get("Upload-Offset") != strconv.Itoa(len(file)) {
		t.Errorf("%v", last.header)
	}
	s.part(id, len(file), nil).problem(409, "upload_finished", "")
	var p api.Photo
	one := s.do("GET", "/photos/"+id, nil).want(200)
	if one.into(&p); p.State != "ready" || len(p.Sizes) != 3 || p.Width == nil || *p.Width != 90 || len(p.Uses) != 0 {
		t.Errorf("%s", one.body)
	}
	for size, wantType := range map[string]string{"thumbnail": "image/jpeg", "large": "image/jpeg", "original": "image/jpeg"} {
		got := s.do("GET", "/photos/"+id+"/"+size, nil).want(200)
		etag := got.header.Get("ETag")
		sum := sha256.Sum256(got.body)
		if etag != `"`+hex.EncodeToString(sum[:])+`"` || got.header.Get("Content-Type") != wantType || got.header.Get("X-Content-Type-Options") != "nosniff" ||
			got.header.Get("Cache-Control") != "private, no-cache" || got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) {
			t.Errorf("%s: %v", size, got.header)
		}
		disposition, csp := got.header.Get("Content-Disposition"), got.header.Get("Content-Security-Policy")
		if original := size == "original"; strings.HasPrefix(disposition, "attachment") != original || strings.Contains(csp, "sandbox") != original || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: %s, %s", size, disposition, csp)
		}
		if strings.Contains(disposition, "王") || bytes.Equal(got.body, file) != (size == "original") {
			t.Errorf("%s: %s, %d bytes", size, disposition, len(got.body))
		}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/"+s.live.Code+"/v1/photos/"+id+"/"+size, nil)
		req.Header.Set("If-None-Match", etag)
		s.send(req).want(http.StatusNotModified)
		if head := s.do("HEAD", "/photos/"+id+"/"+size, nil).want(200); head.header.Get("ETag") != etag || len(head.body) > 0 {
			t.Errorf("%s: %v", size, head.header)
		}
	}
	s.do("GET", "/photos/"+id+"/huge", nil).problem(404, "not_found", "")
	s.do("GET", "/photos/"+id+"/large?as=text/html", nil).problem(400, "unknown_parameter", "as")
	s.tus("DELETE", "/uploads/"+id, nil).want(http.StatusNoContent)
	s.do("GET", "/photos/"+id, nil).problem(404, "not_found", "")
	s.do("GET", "/photos/"+id+"/large", nil).problem(404, "not_found", "")
	s.tus("HEAD", "/uploads/"+id, nil).want(404)
}

// Requests that are no tus, or want what is not offered, are refused by name, and nothing is begun.
func TestHostileUploads(t *testing.T) {
	s := newSite(t)
	id := aUUID()
	good := []string{"Upload-Length: 5000", "Upload-Metadata: id " + b64(id)}
	for name, c := range map[string]struct {
		headers     []string
		status      int
		code, field string
	}{
		"another version":     {[]string{"Tus-Resumable: 0.2.2"}, 412, "wrong_version", "Tus-Resumable"},
		"no version":          {[]string{"Tus-Resumable: "}, 412, "wrong_version", "Tus-Resumable"},
		"no length":           {[]string{"Upload-Length: "}, 400, "not_a_number", "Upload-Length"},
		"20 MB and one":       {[]string{"Upload-Length: 20971521"}, 413, "too_large", "Upload-Length"},
		"nothing":             {[]string{"Upload-Length: 0"}, 400, "out_of_range", "Upload-Length"},
		"less than nothing":   {[]string{"Upload-Length: -1"}, 400, "not_a_number", "Upload-Length"},
		"with a sign":         {[]string{"Upload-Length: +5000"}, 400, "not_a_number", "Upload-Length"},
		"beyond numbers":      {[]string{"Upload-Length: 99999999999999999999999"}, 400, "not_a_number", "Upload-Length"},
		"hexadecimal":         {[]string{"Upload-Length: 0x1000"}, 400, "not_a_number", "Upload-Length"},
		"length to come":      {[]string{"Upload-Defer-Length: 1"}, 400, "not_supported", "Upload-Defer-Length"},
		"no id":               {[]string{"Upload-Metadata: filename " + b64("x")}, 400, "bad_metadata", "Upload-Metadata"},
		"two ids":             {[]string{"Upload-Metadata: id " + b64(id) + ",id " + b64(id)}, 400, "bad_metadata", "Upload-Metadata"},
		"an id in the clear":  {[]string{"Upload-Metadata: id " + id}, 400, "bad_metadata", "Upload-Metadata"},
		"a digest of letters": {[]string{"Upload-Metadata: id " + b64(id) + ",taken " + b64(strings.Repeat("x", 64))}, 400, "bad_metadata", "Upload-Metadata"},
		"half a digest":       {[]string{"Upload-Metadata: id " + b64(id) + ",taken " + b64(strings.Repeat("0", 32))}, 400, "bad_metadata", "Upload-Metadata"},
		"a digest of a voice": {[]string{"Upload-Metadata: id " + b64(id) + ",kind " + b64("voice") + ",taken " + b64(strings.Repeat("0", 64))}, 400, "bad_metadata", "Upload-Metadata"},
		"no UUID":             {[]string{"Upload-Metadata: id " + b64("../../etc/passwd")}, 400, "bad_uuid", "id"},
		"an empty UUID":       {[]string{"Upload-Metadata: id " + b64(uuid.Nil.String())}, 400, "bad_uuid", "id"},
		"endless metadata":    {[]string{"Upload-Metadata: id " + b64(id) + ",x " + strings.Repeat("A", 5000)}, 400, "bad_metadata", "Upload-Metadata"},
		"another method":      {[]string{"X-HTTP-Method-Override: DELETE"}, 400, "not_supported", "X-HTTP-Method-Override"},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.tus("POST", "/uploads", nil, append(append([]string(nil), good...), c.headers...)...).problem(c.status, c.code, c.field)
		})
	}
	s.tus("POST", "/uploads", strings.NewReader("body"), good...).problem(400, "unexpected_body", "body")
	s.tus("POST", "/uploads?x=1", nil, good...).problem(400, "unknown_parameter", "x")
	s.tus("HEAD", "/uploads/"+id, nil).want(404)
	s.tus("POST", "/uploads", nil, good...).want(201)
	part := make([]byte, 2000)
	for name, c := range map[string]struct {
		headers     []string
		status      int
		code, field string
	}{
		"JSON":          {[]string{"Content-Type: application/json"}, 415, "wrong_type", "Content-Type"},
		"JPEG":          {[]string{"Content-Type: image/jpeg"}, 415, "wrong_type", "Content-Type"},
		"gzip":          {[]string{"Content-Encoding: gzip"}, 415, "encoded", "Content-Encoding"},
		"no offset":     {[]string{"Upload-Offset: "}, 400, "not_a_number", "Upload-Offset"},
		"from behind":   {[]string{"Upload-Offset: -1"}, 400, "not_a_number", "Upload-Offset"},
		"from the end":  {[]string{"Upload-Offset: 5000"}, 413, "too_large", "body"},
		"from too far":  {[]string{"Upload-Offset: 999999999999999999"}, 413, "too_large", "body"},
		"another place": {[]string{"Upload-Offset: 1000"}, 409, "wrong_offset", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.tus("PATCH", "/uploads/"+id, bytes.NewReader(part), append([]string{"Upload-Offset: 0"}, c.headers...)...).problem(c.status, c.code, c.field)
		})
	}
	s.part(id, 0, make([]byte, 5001)).problem(413, "too_large", "body")
	// More than announced without saying how much.
	s.tus("PATCH", "/uploads/"+id, io.MultiReader(bytes.NewReader(make([]byte, 5001))), "Upload-Offset: 0").problem(413, "too_large", "body")
	s.part(id, 0, make([]byte, 10)).problem(400, "part_too_small", "body")
	if h := s.tus("HEAD", "/uploads/"+id, nil).want(200); h.header.Get("Upload-Offset") != "0" {
		t.Errorf("%v", h.header)
	}
	s.part(aUUID(), 0, part).problem(404, "not_found", "")
	s.part("nonsense", 0, part).problem(404, "not_found", "")

	// Somebody else's is not there, whatever is done.
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Desk, apptest.CityArea))
	other := s.as(token)
	other.begin(id, 5000).problem(409, "id_taken", "id")
	other.tus("HEAD", "/uploads/"+id, nil).want(404)
	other.part(id, 0, part).problem(404, "not_found", "")
	other.tus("DELETE", "/uploads/"+id, nil).problem(404, "not_found", "")
	other.do("GET", "/photos/"+id, nil).problem(404, "not_found", "")
	s.as("").begin(aUUID(), 5000).problem(401, "sign_in", "")
	planner, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Planner, apptest.CityArea))
	s.as(planner).begin(aUUID(), 5000).problem(403, "not_allowed", "")
	// A page of another site begins nothing.
	s.tus("POST", "/uploads", nil, append([]string{"Sec-Fetch-Site: cross-site"}, good...)...).problem(403, "cross_origin", "")
}

// A line that breaks in the middle of a part: what came is here, and the upload goes on from there.
func TestBrokenLine(t *testing.T) {
	s := newSite(t)
	file, id := aPhoto(t, 2), aUUID()
	s.begin(id, len(file)).want(201)
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "PATCH /%s/v1/uploads/%s HTTP/1.1\r\nHost: %s\r\nCookie: gridgov=%s\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: %d\r\n\r\n",
		s.live.Code, id, u.Host, s.token, len(file))
	if _, err := c.Write(file[:3000]); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	offset := 0
	for deadline := time.Now().Add(20 * time.Second); offset == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		offset, _ = strconv.Atoi(s.tus("HEAD", "/uploads/"+id, nil).want(200).header.Get("Upload-Offset"))
	}
	if offset != 3000 {
		t.Fatalf("%d bytes are here", offset)
	}
	s.part(id, offset, file[offset:]).want(204)
	if got := s.do("GET", "/photos/"+id+"/original", nil).want(200); !bytes.Equal(got.body, file) {
		t.Error("it is another photo")
	}
}

// What is no photo is refused once all of it is here, and is served to nobody.
func TestNoPhoto(t *testing.T) {
	s := newSite(t)
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 10, 10))); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Clone(drawn.Bytes())
	copy(bomb[16:], "\x7f\xff\xff\xff\x7f\xff\xff\xff")
	for code, file := range map[string][]byte{"not_a_photo": []byte(strings.Repeat("<script>alert(1)</script>", 100)), "too_many_pixels": bomb, "damaged": drawn.Bytes()[:60]} {
		id := s.uploaded(file)
		var p api.Photo
		s.do("GET", "/photos/"+id, nil).want(200).into(&p)
		if p.State != "refused" || p.Refusal == nil || *p.Refusal != code || len(p.Sizes) != 0 {
			t.Errorf("%s: %+v", code, p)
		}
		for _, size := range []string{"thumbnail", "large", "original"} {
			s.do("GET", "/photos/"+id+"/"+size, nil).problem(404, "not_found", "")
		}
	}
	// A page behind a picture is a picture, and a download where it is as it was sent.
	both := append(aPhoto(t, 3), "<html><script>alert(1)</script></html>"...)
	id := s.uploaded(both)
	got := s.do("GET", "/photos/"+id+"/original", nil).want(200)
	if got.header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v", got.header)
	}
	if large := s.do("GET", "/photos/"+id+"/large", nil).want(200); bytes.Contains(large.body, []byte("script")) {
		t.Error("the page is published")
	}
}

// A photo that is used is seen by who sees all of the report; the difference to the report is told.
func TestUsedPhotos(t *testing.T) {
	s := newSite(t)
	token, person := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	worker := s.as(token)
	filed := s.file(aReport(0, 0))
	id := worker.uploaded(aPhoto(t, 4))
	s.do("GET", "/photos/"+id, nil).problem(404, "not_found", "") // who may do anything sees not what nothing uses
	s.attach(person, id, photo.Use{Report: report.Num(filed.Num), N: 1})
	var p api.Photo
	worker.do("GET", "/photos/"+id, nil).want(200).into(&p)
	if len(p.Uses) != 1 || p.Uses[0].Report != filed.Num || p.Uses[0].Act != 1 || p.Uses[0].En == "" || p.Uses[0].Zh == "" {
		t.Errorf("%+v", p.Uses)
	}
	worker.tus("DELETE", "/uploads/"+id, nil).problem(409, "photo_used", "")
	far, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(3, 3)))
	leader, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.TownLeader, apptest.TownArea))
	planner, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Planner, apptest.CityArea))
	for _, size := range []string{"", "/thumbnail", "/large", "/original"} {
		s.as(far).do("GET", "/photos/"+id+size, nil).problem(404, "not_found", "")
		s.as(planner).do("GET", "/photos/"+id+size, nil).problem(403, "not_allowed", "")
		worker.do("GET", "/photos/"+id+size, nil).want(200)
		if size == "/original" {
			s.as(leader).do("GET", "/photos/"+id+size, nil).problem(403, "not_allowed", "")
		} else if got := s.as(leader).do("GET", "/photos/"+id+size, nil).want(200); size == "" && bytes.Contains(got.body, []byte("original")) {
			t.Errorf("a leader is told of the original: %s", got.body)
		}
	}
}

// Photos go with a report: one's own that are ready, in the same transaction, once. Others' and those that are not there keep the report out.
func TestReportsBringPhotos(t *testing.T) {
	s := newSite(t)
	sign := func() *site {
		token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
		return s.as(token)
	}
	worker, colleague := sign(), sign()
	mine, more, theirs := worker.uploaded(aPhoto(t, 4)), worker.uploaded(aPhoto(t, 5)), colleague.uploaded(aPhoto(t, 6))
	with := func(photos ...string) filing { return aReport(0, 0, filing{"photos": photos}) }
	for _, bad := range []struct {
		body   filing
		status int
		code   string
		field  string
	}{
		{with(theirs), 400, "unknown_photo", "photos"},
		{with(mine, uuid.NewString()), 400, "unknown_photo", "photos"},
		{with(slices.Repeat([]string{mine}, 11)...), 400, "too_many", "photos"},
		{with("no id"), 400, "bad_uuid", "photos[0]"},
	} {
		worker.do("POST", "/reports", bad.body).problem(bad.status, bad.code, bad.field)
		s.do("GET", fmt.Sprintf("/reports/%s", bad.body["id"]), nil).want(404)
	}
	body := with(mine, more)
	var filed, again api.Report
	worker.do("POST", "/reports", body).want(201).into(&filed)
	worker.do("POST", "/reports", body).want(200).into(&again)
	if again.Num != filed.Num {
		t.Errorf("sent twice it is %d and %d", filed.Num, again.Num)
	}
	var detail api.CaseDetail
	worker.do("GET", fmt.Sprintf("/cases/%d", filed.Num), nil).want(200).into(&detail)
	if len(detail.Photos) != 2 || detail.Photos[0].Act != 0 || detail.Photos[1].Act != 0 {
		t.Errorf("%+v", detail.Photos)
	}
	worker.do("POST", "/reports", with(mine)).problem(409, "photo_used", "")
	// Of several, those go in that can.
	third := worker.uploaded(aPhoto(t, 7))
	var out struct {
		Results []struct{ Status int }
	}
	worker.do("POST", "/reports/batch", map[string]any{"reports": []any{with(theirs), with(third), aReport(0, 0)}}).want(200).into(&out)
	if len(out.Results) != 3 || out.Results[0].Status != 400 || out.Results[1].Status != 201 || out.Results[2].Status != 201 {
		t.Errorf("%+v", out)
	}
}

// Where a photo was taken is told to who works on the matter; how far that is from the report, to all who see it. What is
// published tells neither.
func TestWhereAPhotoWasTaken(t *testing.T) {
	s := newSite(t)
	file, err := os.ReadFile("../photo/testdata/where.heic")
	if err != nil {
		t.Fatal(err)
	}
	token, person := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	worker := s.as(token)
	filed := s.file(aReport(0, 0, filing{"captured_at": "2026-11-24T07:33:00Z"}))
	id := worker.uploaded(file)
	s.attach(person, id, photo.Use{Report: report.Num(filed.Num)})
	leader, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.TownLeader, apptest.TownArea))
	for token, original := range map[string]bool{token: true, leader: false} {
		var p api.Photo
		s.as(token).do("GET", "/photos/"+id, nil).want(200).into(&p)
		if (p.Lon != nil) != original || original && (math.Abs(*p.Lon-120.65) > 1e-9 || math.Abs(*p.Lat-30.525) > 1e-9) {
			t.Errorf("the place is %v, %v", p.Lon, p.Lat)
		}
		u := p.Uses[0]
		if u.DistanceM == nil || *u.DistanceM < 4000 || *u.DistanceM > 6000 || u.Minutes == nil || *u.Minutes != -3 || !strings.Contains(u.Zh, "公里") || p.TakenBy == nil || *p.TakenBy != "offset" {
			t.Errorf("%+v", u)
		}
	}
	if got := worker.do("GET", "/photos/"+id+"/original", nil).want(200); got.header.Get("Content-Type") != "image/heic" || !bytes.Equal(got.body, file) {
		t.Errorf("%v", got.header)
	}
	for _, size := range []string{"thumbnail", "large"} {
		if got := worker.do("GET", "/photos/"+id+"/"+size, nil).want(200); bytes.Contains(got.body, []byte("CanaryCamera")) || bytes.Contains(got.body, []byte("Exif")) {
			t.Errorf("the %s has metadata", size)
		}
	}

	// The files did not come back with a backup: the photo says so, and the rest works.
	known, err := s.live.Photos.Get(t.Context(), photo.ID(uuid.MustParse(id)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range known.Files {
		if err := s.live.Photos.Store.Delete(t.Context(), f.Digest); err != nil {
			t.Fatal(err)
		}
	}
	var p api.Photo
	worker.do("GET", "/photos/"+id, nil).want(200).into(&p)
	for _, size := range p.Sizes {
		if size.Missing == nil || !*size.Missing {
			t.Errorf("%+v", size)
		}
		worker.do("GET", "/photos/"+id+"/"+string(size.Size), nil).problem(404, "photo_file_missing", "")
	}
}
