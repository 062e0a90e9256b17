#!/usr/bin/env bash
# Builds the page into frontend/dist, when its sources have changed, and bin/gridgov with the page in it.
source "$(dirname "$0")/lib.sh"
only_one build

cd "$root/frontend"
[ -d node_modules ] || die "frontend/node_modules is missing: run scripts/setup.sh"
stamp=node_modules/.gridgov-built
want=$(hash_of src build public index.html field.html report.html vite.config.ts tsconfig.json package-lock.json)
if [ -e dist/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
	say "the page is built"
else
	say "building the page"
	npm run --silent build -- --logLevel warn
	echo "$want" >"$stamp"
fi

cd "$root"
say "building bin/gridgov"
flags=(-trimpath)
# In another user's checkout git refuses to tell the commit, and go would fail on it.
git rev-parse HEAD >/dev/null 2>&1 || flags+=(-buildvcs=false)
go build "${flags[@]}" -o bin/gridgov ./cmd/gridgov
