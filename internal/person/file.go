package person

import (
	"context"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

var errNotBuilt = fault.Unavailable("not_built", "not yet")

// Create adds a person.
func (s *Service) Create(ctx context.Context, n New) (Person, error) { return Person{}, errNotBuilt }

// Change changes a person whose version is the one given, else it is a conflict.
func (s *Service) Change(ctx context.Context, id uuid.UUID, version int, c Change) (Person, error) {
	return Person{}, errNotBuilt
}

// Get reads a person; whom the reach does not cover is not found. A nil reach covers all.
func (s *Service) Get(ctx context.Context, id uuid.UUID, reach *policy.Reach) (Person, error) {
	return Person{}, errNotBuilt
}

// List reads a page of people, by name.
func (s *Service) List(ctx context.Context, q Query) (Page, error) { return Page{}, errNotBuilt }

// CreateUnit adds a unit.
func (s *Service) CreateUnit(ctx context.Context, u Unit) (Unit, error) { return Unit{}, errNotBuilt }

// ChangeUnit changes a unit whose version is the one given, else it is a conflict.
func (s *Service) ChangeUnit(ctx context.Context, id policy.UnitID, version int, c UnitChange) (Unit, error) {
	return Unit{}, errNotBuilt
}

// CloseUnit closes a unit in which nobody holds a post any more.
func (s *Service) CloseUnit(ctx context.Context, id policy.UnitID, version int) (Unit, error) {
	return Unit{}, errNotBuilt
}

// Unit reads a unit.
func (s *Service) Unit(ctx context.Context, id policy.UnitID) (Unit, error) {
	return Unit{}, errNotBuilt
}

// Units lists the units by kind and name, closed ones too.
func (s *Service) Units(ctx context.Context) ([]Unit, error) { return nil, errNotBuilt }

// CreatePost gives a person a post. The same post twice at a time is a conflict.
func (s *Service) CreatePost(ctx context.Context, p Post) (Post, error) { return Post{}, errNotBuilt }

// ChangePost changes a post whose version is the one given, else it is a conflict.
func (s *Service) ChangePost(ctx context.Context, id policy.PostID, version int, c PostChange) (Post, error) {
	return Post{}, errNotBuilt
}

// EndPost makes last the post's last day. A day before the first takes the post back: it is never held.
func (s *Service) EndPost(ctx context.Context, id policy.PostID, version int, last Day) (Post, error) {
	return Post{}, errNotBuilt
}

// Post reads a post.
func (s *Service) Post(ctx context.Context, id policy.PostID) (Post, error) {
	return Post{}, errNotBuilt
}

// PostsOf gives a person's posts, past and future ones too, as the policy takes them: from the first day's midnight in the
// city's zone until the midnight after the last.
func (s *Service) PostsOf(ctx context.Context, q Querier, person uuid.UUID) ([]policy.Post, error) {
	return nil, errNotBuilt
}

// Preview tells what Apply would do. It keeps nothing.
func (s *Service) Preview(ctx context.Context, rows []Row) ([]Planned, error) {
	return nil, errNotBuilt
}

// Apply imports the rows in one transaction: all, or where one of them has an error, none.
func (s *Service) Apply(ctx context.Context, rows []Row) ([]Planned, error) { return nil, errNotBuilt }
