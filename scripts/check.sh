#!/usr/bin/env bash
# Static checks of everything: format, vet, golangci-lint, types and lint of the page, generated code. Runs them all and
# fails if one did.
source "$(dirname "$0")/lib.sh"
cd "$root"
golangci_version=v2.15.0
failed=()

step() { # step NAME CMD...
	say "$1"
	"${@:2}" || failed+=("$1")
}

go_files() { git ls-files --cached --others --exclude-standard -- '*.go' | while read -r f; do [ -e "$f" ] && echo "$f"; done; }

formatted() {
	local list
	list=$(go_files | xargs gofmt -l)
	[ -z "$list" ] || { printf 'not formatted by gofmt:\n%s\n' "$list"; return 1; }
}

# Built once for each version, outside go.mod: its hundreds of modules are none of ours.
linted() {
	local bin="$root/bin/golangci-lint-$golangci_version"
	if [ ! -x "$bin" ]; then
		say "building golangci-lint $golangci_version, once"
		GOBIN="$root/bin/golangci" go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$golangci_version" &&
			mv "$root/bin/golangci/golangci-lint" "$bin" && rmdir "$root/bin/golangci" || return 1
	fi
	"$bin" run --build-tags testdata ./...
}

# Generated files are made anew and must come out as they are kept; one that does not is left as it came out.
generated() {
	local sums
	sums=$({ go_files | xargs grep -lE '^// Code generated .* DO NOT EDIT\.$'; git ls-files 'frontend/src/**/schema.d.ts'; } | xargs sha256sum)
	[ -n "$sums" ] || return 0
	go generate ./... && (cd frontend && npm run --silent generate >/dev/null) || return 1
	sha256sum --check --quiet <<<"$sums" || { echo "generated code was out of date: commit what has changed"; return 1; }
}

# A file that is larger than any that belongs here is a binary which slipped in: it would stay in the history for ever.
sized() {
	local large
	large=$(git ls-files -z | xargs -0 -I{} find {} -maxdepth 0 -size +3M 2>/dev/null)
	[ -z "$large" ] || { printf 'larger than 3 MB: %s\n' "$large"; return 1; }
}

page() { (cd frontend && npm run --silent check); }

step "size of files" sized
step "gofmt" formatted
step "go vet" go vet -tags testdata ./...
step "golangci-lint" linted
step "generated code" generated
step "types and lint of the page" page

[ ${#failed[@]} = 0 ] || die "failed: $(IFS=,; echo "${failed[*]}")"
say "all checks passed"
