package auth

import "github.com/alexedwards/argon2id"

// Cheap makes hashing cost next to nothing.
func (s *Service) Cheap() *Service {
	s.hasher = newHasher(argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	return s
}

// For tests of what they do alone.
var (
	CheckPassword = checkPassword
	IsCommon      = isCommon
	NewPassword   = newPassword
)

// Cached is how many identities are in memory.
func (s *Service) Cached() int {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	return len(s.cache.entries)
}

// MostCached bounds Cached.
const MostCached = mostCached

// Compared is how many passwords were held against a hash, each with the work that the hash asks for.
func (s *Service) Compared() int64 { return s.hasher.compared.Load() }
