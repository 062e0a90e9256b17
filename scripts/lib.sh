# Shared by the scripts: sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '==> %s\n' "$*"; }
die() { printf 'gridgov: %s\n' "$*" >&2; exit 1; }

# only_one NAME: the rest of the script is done by one process at a time in this checkout.
only_one() {
	mkdir -p "$root/bin"
	exec 9>"$root/bin/.$1.lock"
	if ! flock -n 9; then
		say "waiting for another $1"
		flock 9
	fi
}

# hash_of PATH...: one hash over the content and the names of all files under the paths.
hash_of() {
	find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}
