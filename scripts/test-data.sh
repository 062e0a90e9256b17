#!/usr/bin/env bash
# Runs the tests that need data from outside the project: the folder GRIDGOV_TESTDATA, or ../shared/data beside it.
source "$(dirname "$0")/lib.sh"
cd "$root"
data=${GRIDGOV_TESTDATA:-../shared/data}
[ -d "$data" ] || die "no test data: set GRIDGOV_TESTDATA to their folder"
GRIDGOV_TESTDATA=$(cd "$data" && pwd)
export GRIDGOV_TESTDATA
mapfile -t packages < <(git ls-files --cached --others --exclude-standard -- '*_test.go' | xargs grep -lE '^//go:build .*\btestdata\b' | xargs -rn1 dirname | sort -u | sed 's|^|./|')
[ ${#packages[@]} -gt 0 ] || die "no package has tests of outside data"
say "go test -tags testdata, data in $GRIDGOV_TESTDATA"
go test -tags testdata "${packages[@]}"
