#!/bin/bash
# What a newcomer does, on a machine whose own Node is older than 24: git clone, npm start, a connection, Ctrl-C.
# Usage: scripts/fresh-clone.sh [folder with an older node and npm]     default: the first node on the PATH
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
broker=
finish() {
  if [[ -n $broker ]]; then kill "$broker" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

# The checkout's own programs must not help: a newcomer has none of them.
PATH=${1:+$1:}$(tr ':' '\n' <<<"$PATH" | grep -v node_modules | paste -sd:)
export PATH
for name in $(compgen -e npm_ || true); do unset "$name"; done
echo "fresh-clone: Node $(node --version), npm $(npm --version)"

git clone --quiet "$source" "$work/hookmq"
cd "$work/hookmq"
started=$SECONDS
# One process, so that the signal reaches it as a terminal's Ctrl-C would.
npm start --silent -- --set listener.tcp.external=127.0.0.1:0 --set listener.ws.external=127.0.0.1:0 \
  --set plugin.management.dashboard.listener.http=127.0.0.1:0 \
  >"$work/out" 2> >(tee "$work/err" >&2) &
broker=$!
until grep -q '^ready' "$work/out"; do
  if ! kill -0 "$broker" 2>/dev/null; then
    echo "fresh-clone: npm start ended before it was ready"
    exit 1
  fi
  if ((SECONDS - started > 300)); then
    echo "fresh-clone: not ready after 300 seconds"
    exit 1
  fi
  sleep 0.2
done
cat "$work/out"
echo "fresh-clone: ready after $((SECONDS - started)) s"

port=$(sed -n 's/.*tcp:external on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/out" | head -1)
bin/hookmq pub -p "$port" -t hello -m world
echo "fresh-clone: published through bin/hookmq"

kill -TERM "$broker"
code=0
wait "$broker" || code=$?
broker=
if pgrep -f "$work/hookmq" >/dev/null; then
  echo "fresh-clone: something still runs after SIGTERM"
  exit 1
fi
changed=$(git status --porcelain)
if [[ -n $changed ]]; then
  echo "fresh-clone: the start left files that git sees:"
  echo "$changed"
  exit 1
fi
echo "fresh-clone: npm start ended with exit code $code; passed"
