// Package api is the service's HTTP face: routes, problem details, and the handlers that decode, call one use case and
// encode. openapi.yaml comes first; the types in types.gen.go are generated from it.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi.yaml

import (
	_ "embed" // openapi.yaml
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/basemap"
	"gridgov/internal/policy"
)

//go:embed openapi.yaml
var openAPI []byte

// Config is what the API serves from.
type Config struct {
	Server  *app.Server
	Page    fs.FS            // the built page; nil when the binary was built without
	Basemap *basemap.Archive // what the map draws under the cities; nil where none is configured
	Log     *slog.Logger
	Now     func() time.Time
	Observe func(route, method string, status int, took time.Duration)
	// SignedIn, where it is set, is told of each sign-in with a password.
	SignedIn func(city, login string)
	Stop     <-chan struct{} // closed when the server is about to stop: streams end

	Edge Edge

	// AnswerTime is how long an ordinary request may take: a database that stands still must not collect those who wait.
	// 0: 12 s.
	AnswerTime time.Duration

	FixedBody []byte // for measurements: served at /{city}/v1/fixed like a tile, where it is set
}

// handler is one route's work; an error becomes a problem document.
type handler func(w http.ResponseWriter, r *http.Request, c *call) error

type api struct {
	Config
	table   []route
	limiter *limiter
}

// route is one line of the table below; tests hold it against openapi.yaml.
type route struct {
	method, path string
	handle       handler
	kind         routeKind
	action       policy.Action // what has to be allowed
}

type routeKind uint8

const (
	ordinary routeKind = iota // asks the database, and answers within AnswerTime
	inMasses                  // what a map asks for by the hundred, without the database: the log tells of it at debug level
	unending                  // goes on until the client leaves
	lengthy                   // takes as long as there is much of it
)

// level is that of the log line of an answer without fault.
func (k routeKind) level() slog.Level {
	if k == inMasses {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// routes is the whole API of one city, under /{city}/v1.
func (a *api) routes() []route {
	own, told := laneOf(ownLane), laneOf(toldLane)
	routes := []route{
		{"GET", "/", a.getCity, ordinary, policy.CityView},
		{"GET", "/plans", a.listPlans, ordinary, policy.CityView},
		{"GET", "/jurisdictions/{level}/{code}", a.getJurisdiction, ordinary, policy.CityView},
		{"GET", "/reports", a.listReports, ordinary, policy.ReportView},
		{"POST", "/reports", a.fileReport, ordinary, policy.ReportFile},
		{"POST", "/reports/batch", a.fileReports, ordinary, policy.ReportFile},
		{"GET", "/reports/{id}", a.getReport, ordinary, policy.ReportView},
		{"PUT", "/reports/{id}/position", a.setPosition, ordinary, policy.ReportPosition},
		{"POST", "/reports/{id}/reporter", a.unmaskReporter, ordinary, policy.ReportUnmask},
		{"OPTIONS", "/uploads", a.describeUploads, ordinary, policy.PhotoUpload},
		{"POST", "/uploads", own.through(beginUpload), ordinary, policy.PhotoUpload},
		{"HEAD", "/uploads/{id}", own.through(headUpload), ordinary, policy.PhotoUpload},
		{"PATCH", "/uploads/{id}", own.through(appendUpload), lengthy, policy.PhotoUpload},
		{"DELETE", "/uploads/{id}", a.removeUpload, ordinary, policy.PhotoUpload},
		{"GET", "/photos/{id}", a.getPhoto, ordinary, policy.PhotoView},
		{"GET", "/photos/{id}/{size}", a.getPhotoFile, lengthy, policy.PhotoView},
		{"GET", "/voices/{id}", a.getVoice, ordinary, policy.PhotoView},
		{"GET", "/voices/{id}/sound", a.getSound, lengthy, policy.PhotoView},
		{"GET", "/cases", a.listCases, ordinary, policy.ReportView},
		{"GET", "/cases/rates", a.getRates, ordinary, policy.ReportView},
		{"GET", "/cases/{case}", a.getCase, ordinary, policy.ReportView},
		{"GET", "/cases/{case}/duplicates", a.listDuplicates, ordinary, policy.CaseTriage},
		{"GET", "/cases/{case}/neighbours", a.listNeighbours, ordinary, policy.CaseTriage},
		{"POST", "/cases/{case}/acts", a.actOnCase, ordinary, policy.CaseAct},
		{"GET", "/cases/{case}/officers", a.proposeOfficers, ordinary, policy.CaseOfficers},
		{"GET", "/views", a.listViews, ordinary, policy.ReportView},
		{"PUT", "/views/{id}", a.saveView, ordinary, policy.QueueKeep},
		{"DELETE", "/views/{id}", a.removeView, ordinary, policy.QueueKeep},
		{"GET", "/batches", a.listBatches, ordinary, policy.CaseAct},
		{"POST", "/batches", a.makeBatch, ordinary, policy.CaseAct},
		{"DELETE", "/batches/{id}", a.cancelBatch, ordinary, policy.CaseAct},
		{"GET", "/counts", a.countReports, ordinary, policy.ReportView},
		{"GET", "/density", a.getDensity, ordinary, policy.ReportView},
		{"GET", "/hotspots", a.listHotspots, ordinary, policy.ReportView},
		{"GET", "/hotspots.csv", a.exportHotspots, lengthy, policy.ReportView},
		{"GET", "/hotspots.geojson", a.exportHotspotShapes, lengthy, policy.ReportView},
		{"GET", "/hotspots/{code}", a.getHotspot, ordinary, policy.ReportView},
		{"GET", "/locate", a.locate, ordinary, policy.CityView},
		{"GET", "/search", a.search, ordinary, policy.CityView},
		{"GET", "/events", a.streamEvents, unending, policy.ReportView},
		{"GET", "/tiles/{layer}", a.getTileJSON, ordinary, policy.CityView},
		{"GET", "/tiles/jurisdictions/{z}/{x}/{y}", a.getBoundaryTile, inMasses, policy.CityView},
		{"GET", "/tiles/{layer}/{z}/{x}/{y}", a.getReportTile, inMasses, policy.ReportView},
		{"GET", "/public/heat", a.getPublicHeat, ordinary, policy.PublicHeat},
		{"GET", "/public/heat/{month}/{z}/{x}/{y}", a.getPublicHeatTile, inMasses, policy.PublicHeat},
		{"GET", "/public/reports/options", a.getReportOptions, ordinary, policy.PublicReport},
		{"POST", "/public/codes", a.sendCode, ordinary, policy.PublicReport},
		{"POST", "/public/reports", a.tellReport, ordinary, policy.PublicReport},
		{"POST", "/public/uploads", told.through(beginUpload), ordinary, policy.PublicReport},
		{"HEAD", "/public/uploads/{id}", told.through(headUpload), ordinary, policy.PublicReport},
		{"PATCH", "/public/uploads/{id}", told.through(appendUpload), lengthy, policy.PublicReport},
		{"POST", "/public/follow", a.followReport, ordinary, policy.PublicFollow},
		{"GET", "/field/ground", a.getGround, ordinary, policy.FieldHold},
		{"GET", "/basemap.pmtiles", a.getBasemap, inMasses, policy.CityView},
		{"GET", "/openapi.yaml", a.getOpenAPI, ordinary, policy.ServiceDescribe},
		{"GET", "/docs", a.getDocs, ordinary, policy.ServiceDescribe},

		{"GET", "/session", a.getSession, ordinary, policy.SessionOpen},
		{"POST", "/session", a.signIn, ordinary, policy.SessionOpen},
		{"DELETE", "/session", a.signOut, ordinary, policy.SessionOpen},
		{"GET", "/session/oidc", a.beginOIDC, ordinary, policy.SessionOpen},
		{"POST", "/session/oidc", a.giveCode, ordinary, policy.SessionOpen},
		{"GET", "/session/oidc/callback", a.finishOIDC, ordinary, policy.SessionOpen},
		{"GET", "/account", a.getAccount, ordinary, policy.AccountOwn},
		{"PUT", "/account/password", a.changePassword, ordinary, policy.AccountOwn},
		{"POST", "/account/second-factor", a.beginTOTP, ordinary, policy.AccountOwn},
		{"PUT", "/account/second-factor", a.confirmTOTP, ordinary, policy.AccountOwn},
		{"DELETE", "/account/second-factor", a.removeTOTP, ordinary, policy.AccountOwn},
		{"POST", "/account/recovery-codes", a.newRecoveryCodes, ordinary, policy.AccountOwn},
		{"DELETE", "/account/sessions", a.endOtherSessions, ordinary, policy.AccountOwn},
		{"DELETE", "/account/sessions/{id}", a.endSession, ordinary, policy.AccountOwn},

		{"GET", "/notices", a.listNotices, ordinary, policy.AccountOwn},
		{"POST", "/notices/read", a.readNotices, ordinary, policy.AccountOwn},
		{"GET", "/account/notices", a.getNoticeChoice, ordinary, policy.AccountOwn},
		{"PUT", "/account/notices", a.setNoticeChoice, ordinary, policy.AccountOwn},
		{"GET", "/account/push", a.getPush, ordinary, policy.AccountOwn},
		{"PUT", "/account/push", a.addPushDevice, ordinary, policy.AccountOwn},
		{"DELETE", "/account/push/{id}", a.removePushDevice, ordinary, policy.AccountOwn},
		{"POST", "/account/push/test", a.testPush, ordinary, policy.AccountOwn},

		{"GET", "/regime/{kind}", a.listRegime, ordinary, policy.RegimeView},
		{"GET", "/regime/{kind}/{id}", a.getRegime, ordinary, policy.RegimeView},
		{"GET", "/regime/{kind}/{id}/table", a.getRegimeTable, ordinary, policy.RegimeView},
		{"GET", "/regime/{kind}/{id}/effect", a.getRegimeEffect, lengthy, policy.RegimeEdit},
		{"GET", "/regime/{kind}/{id}/effect/cases", a.listRegimeEffect, lengthy, policy.RegimeEdit},
		{"GET", "/regime/{kind}/{id}/effect.csv", a.exportRegimeEffect, lengthy, policy.RegimeEdit},
		{"PUT", "/regime/{kind}/draft", a.saveRegimeDraft, ordinary, policy.RegimeEdit},
		{"DELETE", "/regime/{kind}/draft", a.discardRegimeDraft, ordinary, policy.RegimeEdit},
		{"GET", "/regime/{kind}/draft/findings", a.getRegimeFindings, ordinary, policy.RegimeEdit},
		{"POST", "/regime/{kind}/draft/publish", a.publishRegimeDraft, ordinary, policy.RegimeEdit},
		{"POST", "/regime/{kind}/read", a.readRegimeTable, ordinary, policy.RegimeEdit},
		{"GET", "/regime/calendar/holidays", a.getHolidays, ordinary, policy.RegimeEdit},
		{"GET", "/public/catalogue", a.getPublicCatalogue, ordinary, policy.PublicCatalogue},
		{"GET", "/public/villages/{code}", a.getPublicVillage, ordinary, policy.PublicCatalogue},

		{"GET", "/people", a.listPeople, ordinary, policy.PersonView},
		{"POST", "/people", a.createPerson, ordinary, policy.PersonEdit},
		{"POST", "/people/import", a.importPeople, lengthy, policy.PersonEdit},
		{"GET", "/people/template.csv", a.getTemplate, ordinary, policy.PersonEdit},
		{"GET", "/people/{id}", a.getPerson, ordinary, policy.PersonView},
		{"PUT", "/people/{id}", a.changePerson, ordinary, policy.PersonEdit},
		{"POST", "/people/{id}/posts", a.createPost, ordinary, policy.PersonEdit},
		{"PUT", "/people/{id}/posts/{post}", a.changePost, ordinary, policy.PersonEdit},
		{"POST", "/people/{id}/account", a.createAccount, ordinary, policy.PersonEdit},
		{"PUT", "/people/{id}/account", a.changeAccount, ordinary, policy.PersonEdit},
		{"POST", "/people/{id}/account/password", a.resetPassword, ordinary, policy.PersonEdit},
		{"DELETE", "/people/{id}/account/second-factor", a.resetTOTP, ordinary, policy.PersonEdit},
		{"PUT", "/people/{id}/account/identity", a.linkIdentity, ordinary, policy.PersonEdit},
		{"DELETE", "/people/{id}/account/identity", a.unlinkIdentity, ordinary, policy.PersonEdit},
		{"GET", "/units", a.listUnits, ordinary, policy.PersonView},
		{"POST", "/units", a.createUnit, ordinary, policy.UnitEdit},
		{"PUT", "/units/{id}", a.changeUnit, ordinary, policy.UnitEdit},
		{"GET", "/teams", a.listTeams, ordinary, policy.TeamView},
		{"GET", "/teams/{unit}", a.getTeam, ordinary, policy.TeamView},
		{"GET", "/teams/{unit}/forces", a.getForces, ordinary, policy.TeamView},
		{"GET", "/teams/{unit}/roster", a.getRoster, ordinary, policy.TeamView},
		{"GET", "/teams/{unit}/positions", a.listPositions, ordinary, policy.PositionView},
		{"PUT", "/teams/{unit}/hours", a.setTeamHours, ordinary, policy.RosterEdit},
		{"PUT", "/teams/{unit}/members/{person}/skills", a.setSkills, ordinary, policy.TeamView},
		{"POST", "/teams/{unit}/vehicles", a.addVehicle, ordinary, policy.RosterEdit},
		{"PUT", "/teams/{unit}/vehicles/{id}", a.changeVehicle, ordinary, policy.RosterEdit},
		{"DELETE", "/teams/{unit}/vehicles/{id}", a.removeVehicle, ordinary, policy.RosterEdit},
		{"POST", "/teams/{unit}/shifts", a.addShifts, ordinary, policy.RosterEdit},
		{"PUT", "/teams/{unit}/shifts/{id}", a.changeShift, ordinary, policy.RosterEdit},
		{"DELETE", "/teams/{unit}/shifts/{id}", a.removeShift, ordinary, policy.RosterEdit},
		{"POST", "/teams/{unit}/swaps", a.askSwap, ordinary, policy.DutyOwn},
		{"POST", "/teams/{unit}/swaps/{id}/answer", a.answerSwap, ordinary, policy.DutyOwn},
		{"DELETE", "/teams/{unit}/swaps/{id}", a.withdrawSwap, ordinary, policy.DutyOwn},
		{"POST", "/teams/{unit}/leaves", a.askLeave, ordinary, policy.TeamView},
		{"PUT", "/teams/{unit}/leaves/{id}", a.grantLeave, ordinary, policy.RosterEdit},
		{"DELETE", "/teams/{unit}/leaves/{id}", a.removeLeave, ordinary, policy.TeamView},
		{"GET", "/duty", a.getDuty, ordinary, policy.DutyOwn},
		{"PUT", "/duty/consent", a.setConsent, ordinary, policy.DutyOwn},
		{"PUT", "/duty/position", a.tellPosition, ordinary, policy.DutyOwn},
		{"POST", "/duty/calendar", a.makeCalendar, ordinary, policy.DutyOwn},
		{"DELETE", "/duty/calendar", a.removeCalendar, ordinary, policy.DutyOwn},
		{"GET", "/calendars/{secret}", a.readCalendar, ordinary, policy.CalendarRead},
		{"GET", "/screenings", a.listScreenings, ordinary, policy.ScreeningView},
		{"POST", "/screenings", a.runScreening, lengthy, policy.ScreeningRun},
		{"GET", "/screenings/{run}", a.getScreening, lengthy, policy.ScreeningView},
		{"GET", "/proposals", a.listProposals, ordinary, policy.ScreeningView},
		{"GET", "/proposals/{id}", a.getProposal, ordinary, policy.ScreeningView},
		{"POST", "/proposals/{id}/decision", a.decideProposal, ordinary, policy.ProposalDecide},
		{"GET", "/proposals/{id}/officers", a.listOfficersFor, ordinary, policy.ProposalDecide},
		{"GET", "/investigations", a.listInvestigations, ordinary, policy.InvestigationView},
		{"GET", "/investigations/rates", a.getInvestigationRates, ordinary, policy.InvestigationRate},
		{"GET", "/investigations/{id}", a.getInvestigation, ordinary, policy.InvestigationView},
		{"POST", "/investigations/{id}/acts", a.actOnInvestigation, ordinary, policy.InvestigationRecord},
		{"GET", "/investigations/{id}/officers", a.listOfficersOf, ordinary, policy.InvestigationRecord},
		{"GET", "/patrols/points", a.listPatrolPoints, ordinary, policy.PatrolView},
		{"POST", "/patrols/points", a.setPatrolPoint, ordinary, policy.PatrolEdit},
		{"PUT", "/patrols/points/{id}", a.changePatrolPoint, ordinary, policy.PatrolEdit},
		{"DELETE", "/patrols/points/{id}", a.removePatrolPoint, ordinary, policy.PatrolEdit},
		{"POST", "/patrols/points/{id}/restore", a.restorePatrolPoint, ordinary, policy.PatrolEdit},
		{"GET", "/patrols/visits", a.listPatrolVisits, ordinary, policy.PatrolView},
		{"POST", "/patrols/visits", a.tellPatrolVisit, ordinary, policy.PatrolVisit},
		{"GET", "/patrols/coverage", a.getPatrolCoverage, ordinary, policy.PatrolView},
		{"GET", "/tokens", a.listTokens, ordinary, policy.TokenEdit},
		{"POST", "/tokens", a.createToken, ordinary, policy.TokenEdit},
		{"DELETE", "/tokens/{id}", a.revokeToken, ordinary, policy.TokenEdit},
		{"GET", "/settings", a.getSettings, ordinary, policy.SettingEdit},
		{"PUT", "/settings", a.changeSettings, ordinary, policy.SettingEdit},
		{"GET", "/audit", a.listAudit, ordinary, policy.AuditView},
		{"GET", "/audit.csv", a.exportAudit, lengthy, policy.AuditView},
		{"GET", "/settings/messages", a.getMessageSettings, ordinary, policy.SettingEdit},
		{"PUT", "/settings/messages", a.changeMessageSettings, ordinary, policy.SettingEdit},
		{"POST", "/settings/messages/test", a.sendTestMessage, ordinary, policy.SettingEdit},
		{"GET", "/settings/identity-provider", a.getProvider, ordinary, policy.SettingEdit},
		{"PUT", "/settings/identity-provider", a.setProvider, ordinary, policy.SettingEdit},
		{"DELETE", "/settings/identity-provider", a.removeProvider, ordinary, policy.SettingEdit},
		{"GET", "/settings/escalation", a.getEscalation, ordinary, policy.SettingEdit},
		{"PUT", "/settings/escalation", a.changeEscalation, ordinary, policy.SettingEdit},
		{"GET", "/settings/escalation/preview", a.previewRetention, ordinary, policy.SettingEdit},
		{"GET", "/webhooks", a.listWebhooks, ordinary, policy.SettingEdit},
		{"POST", "/webhooks", a.addWebhook, ordinary, policy.SettingEdit},
		{"PUT", "/webhooks/{id}", a.changeWebhook, ordinary, policy.SettingEdit},
		{"DELETE", "/webhooks/{id}", a.removeWebhook, ordinary, policy.SettingEdit},
		{"POST", "/webhooks/{id}/secret", a.renewWebhook, ordinary, policy.SettingEdit},
		{"POST", "/webhooks/{id}/test", a.testWebhook, ordinary, policy.SettingEdit},
		{"GET", "/webhooks/{id}/deliveries", a.listDeliveries, ordinary, policy.SettingEdit},
		{"GET", "/outbox", a.listOutbox, ordinary, policy.SettingEdit},
	}
	if a.FixedBody != nil {
		routes = append(routes, route{"GET", "/fixed", a.getFixed, inMasses, policy.CityView})
	}
	return routes
}

// New makes the handler of everything on the service's public address. A route whose action the table of rights does not
// have is an error: nothing is served by oversight.
func New(cfg Config) (http.Handler, error) {
	a := &api{Config: cfg}
	if a.AnswerTime == 0 {
		a.AnswerTime = 12 * time.Second
	}
	a.table, a.limiter = a.routes(), newLimiter(a.Edge.Limits, time.Now)
	city := http.NewServeMux()
	for _, rt := range a.table {
		if !policy.Known(rt.action) {
			return nil, fmt.Errorf("api: %s %s: the table of rights has no action %q", rt.method, rt.path, rt.action)
		}
		pattern := rt.method + " /{city}/v1" + rt.path
		if rt.path == "/" {
			pattern += "{$}"
		}
		city.Handle(pattern, a.wrap(rt.method+" "+rt.path, rt.kind, a.inCity(rt.action, rt.kind, rt.handle)))
	}
	city.Handle("GET /{city}/v1", http.RedirectHandler("v1/", http.StatusPermanentRedirect))
	city.Handle("GET /{city}/field", http.RedirectHandler("field/", http.StatusPermanentRedirect))
	city.Handle("GET /{city}/field/worker.js", a.wrap("GET worker", ordinary, a.worker("field-worker.js")))
	city.Handle("GET /{city}/report-worker.js", a.wrap("GET worker", ordinary, a.worker("report-worker.js")))
	city.Handle("GET /{city}/field/manifest.webmanifest", a.wrap("GET manifest", ordinary, a.fieldManifest))
	city.Handle("GET /{city}/{rest...}", a.wrap("GET page", ordinary, a.page))
	city.Handle("/", a.wrap("unknown", ordinary, a.unknown))

	root := http.NewServeMux()
	root.Handle("GET /{$}", a.wrap("GET /", ordinary, a.page))
	root.Handle("GET /cities", a.wrap("GET /cities", ordinary, a.listCities))
	root.Handle("GET /assets/", a.wrap("GET /assets", inMasses, a.asset))
	root.Handle("/", a.wrap("unknown", ordinary, a.unknown))

	// Two muxes, as /assets/… and /{city}/… would stand in each other's way in one.
	dispatch := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if first == "" || first == "assets" || first == "cities" {
			root.ServeHTTP(w, r)
			return
		}
		city.ServeHTTP(w, r)
	})
	return a.guard(dispatch), nil
}

func (a *api) unknown(_ http.ResponseWriter, r *http.Request) error {
	return a.methodOrPath(r)
}
