// Package auth tells who asks: accounts and passwords, sessions, machines' tokens, the second factor, and what slows
// guessing down. What somebody may do, package policy tells from the posts of the [Identity].
package auth

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// Sealer seals small secrets by a key that the database does not have. The label says what is sealed and for whom: one
// that was sealed under another label does not open.
type Sealer interface {
	Seal(label string, plain []byte) ([]byte, error)
	Open(label string, sealed []byte) ([]byte, error)
}

// Limits say how long what lasts.
type Limits struct {
	Idle      time.Duration // a session that is not used
	AdminIdle time.Duration // that of somebody who is administrator at the time
	Absolute  time.Duration // any session
	Token     time.Duration // the longest life of a machine's token
}

// DefaultLimits are a working day, and a week: grid staff sign in on their own phones.
var DefaultLimits = Limits{Idle: 8 * time.Hour, AdminIdle: time.Hour, Absolute: 7 * 24 * time.Hour, Token: 400 * 24 * time.Hour}

// Config is what a Service is made of.
type Config struct {
	Pool   *pgxpool.Pool
	Feed   *feed.Writer
	People *person.Service
	Now    func() time.Time
	Sealer Sealer             // nil: without the key there is no second factor
	Demo   bool               // the city is a demo: demo accounts may sign in
	City   string             // the city's code, which an authenticator shows beside the login
	Name   string             // its name, by which the first administrator's is Chinese or English
	Area   func() policy.Area // the whole city as a jurisdiction; nil: City's code
	Limits Limits             // zero: DefaultLimits
	// Erasing, where it is set, deletes in the same transaction what others hold of a person who is erased.
	Erasing func(ctx context.Context, tx pgx.Tx, person uuid.UUID) error
	// Ended, where it is set, ends in the same transaction what hangs on sessions that somebody ended. It is not told of those that ran out.
	Ended func(ctx context.Context, tx pgx.Tx, e Ended) error
}

// Ended are sessions that were ended: those that are named or, with a Person, all of that one's but Keep, run out or not.
type Ended struct {
	Sessions     []uuid.UUID
	Next         uuid.UUID // the session of the same person, in the same browser, that takes their place; nil: none does
	Person, Keep uuid.UUID
}

// Identity is who asks. It is shared and must not be changed.
type Identity struct {
	Person     uuid.UUID
	Login      string
	Name       string
	Session    uuid.UUID     // zero for a token
	Token      uuid.UUID     // zero for a session
	Actor      *policy.Actor // while MustChange or NeedsTOTP, only for one's own account
	Ends       time.Time     // when the session ends unless it is used, or the token expires
	MustChange bool          // the password was given by somebody else
	NeedsTOTP  bool          // an administrator without the second factor that the city demands
	TOTP       bool          // the account has a second factor
	Demo       bool
}

// ErrNoSession says that a session or token is unknown, has ended, or its account is disabled: which, nobody is told.
var ErrNoSession = fault.Unauthenticated("no_session", "sign in: there is no such session, or it has ended")

// Attempt is somebody who wants to sign in.
type Attempt struct {
	Login, Password string
	Code            string // of the second factor, or a recovery code; "" at first
	Device          string // the device cookie; "" where there is none
	Address         string // of the client, without a port
	Agent           string // User-Agent
	OldToken        string // the session cookie that came along: it ends
}

// SignedIn is a new session. Token goes into the session's cookie, Device into one that lives for DeviceAge.
type SignedIn struct {
	Token    string
	Device   string
	Identity *Identity
}

// DeviceAge is how long a device that is not used is known.
const DeviceAge = 180 * 24 * time.Hour

// TokenPrefix begins machines' tokens.
const TokenPrefix = "ggt_"

// Session is one of a person's sessions.
type Session struct {
	ID                   uuid.UUID
	MadeAt, SeenAt, Ends time.Time
	Address, Agent       string
}

// Account is how a person signs in.
type Account struct {
	Person      uuid.UUID
	Login       string
	Name        string
	Machine     bool
	Password    bool // has one
	MustChange  bool
	Demo        bool
	TOTP        bool
	Issuer      string // of the identity that the account is linked to, with #claim where its key is not sub; "": none
	Subject     string
	CreatedAt   time.Time
	DisabledAt  *time.Time
	LastSession *time.Time // when a session that still lasts was last used
}

// NewAccount is an account to come. A machine's has no password.
type NewAccount struct {
	Person   uuid.UUID
	Login    string // lower-case letters, digits, . _ -
	Password string // "": one is made, which must be changed at the first sign-in
}

// Token is a machine's token, without what the machine holds.
type Token struct {
	ID        uuid.UUID
	Person    uuid.UUID
	Name      string
	Scopes    []policy.Action
	MadeAt    time.Time
	SeenAt    *time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
}

// NewToken is a token to come.
type NewToken struct {
	Person    uuid.UUID
	Name      string
	Scopes    []policy.Action
	ExpiresAt time.Time
}

// TOTPSetup is what an authenticator needs.
type TOTPSetup struct {
	Secret string // base32
	URL    string // otpauth://…, for a QR code
}

// Settings bind the whole city.
type Settings struct {
	RequireTOTPAdmin bool // administrators need a second factor, but for a demo's account, which can have none
	PublicMap        bool // boundaries in force and the heat of reports are shown to anybody
	ResidentReports  bool // anybody may report, with a phone number or an e-mail address that a code has confirmed
}

// DemoCity is what demo accounts are made for: one town, and a village, grid and microgrid in it.
type DemoCity struct {
	City, Town, Village, Grid, Microgrid DemoArea
	Password                             string
}

// DemoArea is a jurisdiction; Code "": the city has none of that level, and roles that need one get no account.
type DemoArea struct{ Code, Name, NameEN string }

// DemoAccount is what the sign-in page of a demo lists.
type DemoAccount struct {
	Login string
	Role  policy.Role
	Name  string
	Place string // its unit's name, or its jurisdiction's code
}
