package app

import (
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Within is a reach as a condition of lists.
func Within(l *Live, reach *policy.Reach) *report.Within { return l.State().within(reach) }
