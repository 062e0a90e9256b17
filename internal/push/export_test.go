package push

import "time"

// Impatient has a call last at most so long.
func (s *Service) Impatient(d time.Duration) { s.patience = d }
