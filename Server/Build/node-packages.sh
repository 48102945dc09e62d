#!/bin/sh
# Installs the npm packages of the repository (the embedded ClickHouse and what builds the dashboard) when they are missing or older than
# package-lock.json. Called by the build of the Server project; several builds at once wait for the first.
set -eu
cd "$(dirname "$0")/../.."

fail() {
  echo "sketch : error SKETCH001: $1" >&2
  exit 1
}

command -v node >/dev/null 2>&1 || fail "node is missing: the build needs Node.js 20 or later with npm (embedded ClickHouse, dashboard)"
command -v npm >/dev/null 2>&1 || fail "npm is missing: the build needs Node.js 20 or later with npm (embedded ClickHouse, dashboard)"
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
[ "$major" -ge 20 ] || fail "node is $(node --version); allowed: 20 or later"

# npm writes this file last, so that an installation that was cut off is made anew.
stamp=node_modules/.package-lock.json
mkdir -p Server/obj
exec 9>Server/obj/npm.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi
if [ -f "$stamp" ] && [ ! package-lock.json -nt "$stamp" ]; then exit 0; fi

echo "Fetching the embedded ClickHouse and the dashboard's tools with npm ci: once, about 150 MB to download, 615 MB on disk ..."
npm ci --no-progress --loglevel=error 9>&- || fail "npm ci failed; its reason stands above"
touch "$stamp"
