#!/bin/sh
# Builds the client package that the dashboard uses, and the dashboard into Realtime/dashboard/dist. Called by the build of the Server project when a source is newer than the page.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p Server/obj
exec 9>Server/obj/npm.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi
echo "Building the dashboard ..."
npm run --silent build --workspace Realtime/dashboard 9>&- || {
  echo "sketch : error SKETCH002: the dashboard does not build; the reason stands above" >&2
  exit 1
}
