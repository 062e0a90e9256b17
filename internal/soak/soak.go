// Package soak says how much tests try: samples every day, and all of it where GRIDGOV_SOAK is set, as make soak does.
package soak

import (
	"flag"
	"os"
	"strconv"
)

// Or chooses between what is tried every day and what is tried in full.
func Or[T any](sample, full T) T {
	if os.Getenv("GRIDGOV_SOAK") != "" {
		return full
	}
	return sample
}

// Checks sets how often rapid tries each property of a package. A TestMain calls it.
func Checks(sample, full int) {
	if err := flag.Set("rapid.checks", strconv.Itoa(Or(sample, full))); err != nil {
		panic(err) // the package's tests do not use rapid
	}
}
