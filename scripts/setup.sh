#!/usr/bin/env bash
# Installs what is missing to run (setup.sh run) or to test (setup.sh test) gridgov: system packages by apt, the page's
# packages by npm. Says what it does, and does nothing where nothing is missing.
source "$(dirname "$0")/lib.sh"
what=${1:-run}
min_postgresql=15

# A PostgreSQL with PostGIS: prints its folder, or fails.
postgresql_here() {
	local dir major
	for dir in ${PG_BIN:-/usr/lib/postgresql/*/bin}; do
		[ -x "$dir/postgres" ] || continue
		major=$("$dir/postgres" --version | grep -oE '[0-9]+' | head -n1)
		[ "$major" -ge "$min_postgresql" ] || continue
		[ -e "$("$dir/pg_config" --sharedir 2>/dev/null || echo "/usr/share/postgresql/$major")/extension/postgis.control" ] || continue
		echo "$dir"
		return
	done
	return 1
}

# The newest PostgreSQL for which apt has PostGIS.
newest_major() {
	apt-cache pkgnames postgresql- | grep -oE '^postgresql-[0-9]+-postgis-3$' | grep -oE '[0-9]+' | head -n 100 |
		awk -v min="$min_postgresql" '$1 >= min' | sort -n | tail -n1
}

# Names of the missing packages, one a line. @postgresql stands for the server with PostGIS.
missing() {
	# With a server of one's own none is needed here to run; the tests of the private one need it in any case.
	if { [ -z "${GRIDGOV_DATABASE:-}" ] || [ "$what" = test ]; } && ! postgresql_here >/dev/null; then
		[ -z "${PG_BIN:-}" ] || die "PG_BIN=$PG_BIN holds no PostgreSQL $min_postgresql or newer with PostGIS"
		echo @postgresql
	fi
	command -v ogr2ogr >/dev/null || echo gdal-bin
	[ "$what" = test ] || return 0
	if [ -n "${CHROME:-}" ]; then
		[ -x "$CHROME" ] || die "CHROME=$CHROME is not a program"
	else
		command -v chromium >/dev/null || echo chromium
	fi
	# Without a font for Chinese, screenshots show boxes. Ask fontconfig, else dpkg.
	if [ -z "$(fc-list :lang=zh 2>/dev/null)" ] && ! dpkg -s fonts-wqy-microhei >/dev/null 2>&1; then
		echo fonts-wqy-microhei
	fi
	# The race detector is C.
	command -v gcc >/dev/null || printf '%s\n' gcc libc6-dev
}

# Fills the array as_root, which goes before a command that needs root. Here sudo asks for the password while that can be
# seen: what apt prints goes to a log.
become_root() {
	as_root=()
	[ "$(id -u)" != 0 ] || return 0
	as_root=(sudo)
	command -v sudo >/dev/null || needs_root "there is no sudo here"
	sudo -n true 2>/dev/null && return
	say "sudo, for apt-get: it may ask for your password"
	sudo -v || needs_root "sudo refused"
}

# needs_root WHY: ends with what somebody else can run.
needs_root() {
	local debian="${list[*]/@postgresql/postgresql-postgis postgresql-postgis-scripts}"
	die "packages are missing, apt-get needs root, and $1. Once this was run by root, make goes on without:
    apt-get update && apt-get install -y --no-install-recommends $debian"
}

# apt, one at a time on this machine and tried three times, as mirrors fail now and then. A server that a package starts
# must not inherit our lock (9>&-).
apt() {
	local try
	for try in 1 2 3; do
		if "${as_root[@]}" flock /var/lock/gridgov-apt.lock env DEBIAN_FRONTEND=noninteractive \
			apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null >"$log" 2>&1 9>&-; then
			return
		fi
		if grep -q 'dpkg --configure -a' "$log"; then
			say "dpkg --configure -a, as an installation was cut short before"
			"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a </dev/null >"$log" 2>&1 9>&- || true
		fi
		[ "$try" = 3 ] || { say "apt-get $1 failed, trying again"; sleep $((try * 3)); }
	done
	tail -n 20 "$log" >&2
	die "apt-get $1 failed three times"
}

install_packages() {
	local found list names=() name major
	found=$(missing)
	if [ -z "$found" ]; then
		say "system packages: nothing is missing"
		return
	fi
	mapfile -t list <<<"$found"
	command -v apt-get >/dev/null ||
		die "missing here: ${list[*]/@postgresql/PostgreSQL $min_postgresql+ with PostGIS}; without apt, install them yourself (PG_BIN and CHROME tell where they are)"
	become_root
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	say "apt-get update"
	apt update
	for name in "${list[@]}"; do
		if [ "$name" = @postgresql ]; then
			major=$(newest_major)
			[ -n "$major" ] || die "apt has no PostgreSQL $min_postgresql or newer with PostGIS: add the repository of apt.postgresql.org, or set PG_BIN"
			names+=("postgresql-$major" "postgresql-$major-postgis-3" "postgresql-$major-postgis-3-scripts")
		else
			names+=("$name")
		fi
	done
	say "apt-get install ${names[*]} (once; a minute or more)"
	apt install -y --no-install-recommends "${names[@]}"
	found=$(missing)
	[ -z "$found" ] || die "still missing after installing: ${found//$'\n'/ }"
}

# at_least HAVE NEED: compares dotted versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

check_tools() {
	local version
	command -v go >/dev/null || die "Go 1.26 or newer is needed: https://go.dev/dl/"
	version=$(cd / && go env GOVERSION) # not here, where an old one may refuse go.mod
	at_least "${version#go}" 1.26 || die "Go 1.26 or newer is needed, this is $version: https://go.dev/dl/"
	command -v node >/dev/null || die "Node 20.19 or newer is needed: https://nodejs.org/"
	version=$(node --version)
	at_least "${version#v}" 20.19 || die "Node 20.19 or newer is needed, this is $version: https://nodejs.org/"
	command -v npm >/dev/null || die "npm is needed: it comes with Node"
}

# npm ci, when the list of packages or Node has changed since the last time.
install_page() {
	local stamp="$root/frontend/node_modules/.gridgov-packages" want
	want="$(hash_of "$root/frontend/package-lock.json") $(node --version)"
	if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
		say "npm packages: nothing is missing"
		return
	fi
	say "npm ci in frontend/"
	(cd "$root/frontend" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
	echo "$want" >"$stamp"
}

trap 'exit 130' INT # Ctrl-C ends it, whatever apt makes of it
only_one setup
check_tools
install_packages
install_page
