package auth

import (
	"context"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

var errNotBuilt = fault.Unavailable("not_built", "not yet")

// Service signs people in. Make it with New.
type Service struct{ cfg Config }

// New makes a city's service. Close it.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Close waits for what is being written.
func (s *Service) Close() {}

// Identify tells whose a session's or machine's token is, or ErrNoSession. What was read is good for 4 s, so that a right
// that ends is gone within 5 s; else it costs one statement.
func (s *Service) Identify(ctx context.Context, token string) (*Identity, error) {
	return nil, errNotBuilt
}

// Visitor is who has not signed in.
func (s *Service) Visitor(ctx context.Context) (*policy.Actor, error) { return nil, errNotBuilt }

// Forget drops what is in memory: people, posts or settings have changed.
func (s *Service) Forget() {}

// SignIn opens a session. Faults: wrong_credentials (401; the field is code where the password was right), code_needed
// (401), account_disabled (403), too_many_attempts (429, with RetryAfter). Only who knows the password hears another than
// wrong_credentials and too_many_attempts.
func (s *Service) SignIn(ctx context.Context, a Attempt) (SignedIn, error) {
	return SignedIn{}, errNotBuilt
}

// SignOut ends the session of the token; one that there is not is no error.
func (s *Service) SignOut(ctx context.Context, token string) error { return errNotBuilt }

// Sessions lists a person's sessions, the latest used first.
func (s *Service) Sessions(ctx context.Context, person uuid.UUID) ([]Session, error) {
	return nil, errNotBuilt
}

// EndSession ends one of the person's sessions.
func (s *Service) EndSession(ctx context.Context, person, session uuid.UUID) error {
	return errNotBuilt
}

// EndOthers ends all sessions of the person but keep, and returns how many.
func (s *Service) EndOthers(ctx context.Context, person, keep uuid.UUID) (int, error) {
	return 0, errNotBuilt
}

// ChangePassword changes one's own password and ends one's other sessions. A wrong old password counts as a guess.
func (s *Service) ChangePassword(ctx context.Context, who *Identity, address, old, password string) error {
	return errNotBuilt
}

// ResetPassword gives an account a new password, which it returns and which must be changed at the next sign-in, and ends
// all its sessions.
func (s *Service) ResetPassword(ctx context.Context, person uuid.UUID) (string, error) {
	return "", errNotBuilt
}

// CreateAccount gives a person an account and returns the password that was made, "" where one was given or none is needed.
func (s *Service) CreateAccount(ctx context.Context, n NewAccount) (password string, err error) {
	return "", errNotBuilt
}

// Account reads a person's account.
func (s *Service) Account(ctx context.Context, person uuid.UUID) (Account, error) {
	return Account{}, errNotBuilt
}

// AccountNamed reads an account by its login.
func (s *Service) AccountNamed(ctx context.Context, login string) (Account, error) {
	return Account{}, errNotBuilt
}

// Accounts lists all accounts by login.
func (s *Service) Accounts(ctx context.Context) ([]Account, error) { return nil, errNotBuilt }

// Disable takes an account out of use and ends its sessions; its tokens are refused while it lasts.
func (s *Service) Disable(ctx context.Context, person uuid.UUID) error { return errNotBuilt }

// Enable puts it into use again.
func (s *Service) Enable(ctx context.Context, person uuid.UUID) error { return errNotBuilt }

// BeginTOTP makes a secret for the person's authenticator. It counts once ConfirmTOTP has seen a code of it.
func (s *Service) BeginTOTP(ctx context.Context, who *Identity) (TOTPSetup, error) {
	return TOTPSetup{}, errNotBuilt
}

// ConfirmTOTP puts the second factor into use and returns ten recovery codes, each good once in place of a code.
func (s *Service) ConfirmTOTP(ctx context.Context, who *Identity, code string) (recovery []string, err error) {
	return nil, errNotBuilt
}

// NewRecoveryCodes replaces the recovery codes; it takes a code of the authenticator.
func (s *Service) NewRecoveryCodes(ctx context.Context, who *Identity, code string) ([]string, error) {
	return nil, errNotBuilt
}

// RemoveTOTP takes one's own second factor out of use; it takes the password. A wrong one counts as a guess.
func (s *Service) RemoveTOTP(ctx context.Context, who *Identity, address, password string) error {
	return errNotBuilt
}

// ResetTOTP takes another's second factor out of use, for who has lost it, and ends the sessions.
func (s *Service) ResetTOTP(ctx context.Context, person uuid.UUID) error { return errNotBuilt }

// CreateToken gives a machine a token and returns what the machine holds: it cannot be read again.
func (s *Service) CreateToken(ctx context.Context, n NewToken) (secret string, t Token, err error) {
	return "", Token{}, errNotBuilt
}

// Tokens lists a machine's tokens, the newest first; those of all with a zero id.
func (s *Service) Tokens(ctx context.Context, person uuid.UUID) ([]Token, error) {
	return nil, errNotBuilt
}

// RevokeToken ends a token.
func (s *Service) RevokeToken(ctx context.Context, id uuid.UUID) error { return errNotBuilt }

// Settings reads the city's settings.
func (s *Service) Settings(ctx context.Context) (Settings, error) { return Settings{}, errNotBuilt }

// SetSettings writes them.
func (s *Service) SetSettings(ctx context.Context, set Settings) error { return errNotBuilt }

// FirstAdministrator makes the account admin with an administrator's post for the city, if the city has no account at
// all, and returns its one-time password. made is true on one of the nodes that ask at once.
func (s *Service) FirstAdministrator(ctx context.Context) (login, password string, made bool, err error) {
	return "", "", false, errNotBuilt
}

// MakeDemoAccounts makes one account a role, named like the role, in a city that is made up. What is there it leaves.
func (s *Service) MakeDemoAccounts(ctx context.Context, city DemoCity) error { return errNotBuilt }

// DemoAccounts lists the demo's accounts, in the order of the roles; none outside of a city that is made up.
func (s *Service) DemoAccounts(ctx context.Context) ([]DemoAccount, error) { return nil, errNotBuilt }
