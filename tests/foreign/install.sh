#!/usr/bin/env bash
# Installs the SCIM servers of other people that run on Node.js, exactly as their lock files say, under .foreign/.
#   tests/foreign/install.sh [NAME...]     NAME: a folder of tests/foreign/node; default all
# A server that is there already as its lock file says is left as it is.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
TO=$(cd "$HERE/../.." && pwd)/.foreign
[ $# -gt 0 ] || set -- betterauth scimmy4 scimmy5
for name in "$@"; do
  if cmp -s "$HERE/node/$name/package-lock.json" "$TO/$name/installed.json"; then
    continue
  fi
  rm -rf "${TO:?}/$name"
  mkdir -p "$TO/$name"
  cp "$HERE/node/$name/package.json" "$HERE/node/$name/package-lock.json" "$TO/$name/"
  # no install scripts: nothing here is to be built or fetched beside the packages themselves
  (cd "$TO/$name" && npm ci --legacy-peer-deps --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp "$HERE/node/$name/package-lock.json" "$TO/$name/installed.json"
done
