#!/usr/bin/env bash
# The receiver against a bare node:http server, on one core each, the client on another.
# Usage: benches/receiver/run.sh [DELIVERIES] [ROUNDS] [CONNECTIONS]; needs node and taskset, and two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."

deliveries=${1:-100000}
rounds=${2:-3}
connections=${3:-64}
secret=a-secret-of-the-benchmark
payload=tests/data/webhooks/pull_request.opened.json
target=${CARGO_TARGET_DIR:-target}

cargo build --quiet --release --example receiver
# The database is on the disk of the target folder: a RAM disk would make syncs free.
state=$(mktemp -d "$target/receiver-bench.XXXXXX")
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$state"' EXIT

measure() { # PORT COMMAND…
    local port=$1
    shift
    : >"$state/log"
    taskset -c 0 "$@" >"$state/log" 2>&1 &
    server=$!
    until grep -q listening "$state/log"; do kill -0 "$server"; done
    taskset -c 1 "$target/release/examples/receiver" \
        load "127.0.0.1:$port" "$server" "$secret" "$payload" "$deliveries" "$connections"
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
}

for round in $(seq "$rounds"); do
    echo -n "fromguard $round: "
    measure 39117 "$target/release/examples/receiver" serve 127.0.0.1:39117 "sqlite:$state/$round.db" "$secret" |
        tee -a "$state/fromguard"
    echo -n "node:http $round: "
    measure 39118 node benches/receiver/peer.js 39118 "$secret" | tee -a "$state/node"
done

node -e '
const fs = require("node:fs");
const read = (name) => fs.readFileSync(`${process.argv[1]}/${name}`, "utf8").trim().split("\n").map(JSON.parse);
const median = (rows, key) => rows.map((row) => row[key]).sort((a, b) => a - b)[rows.length >> 1];
const [ours, peer] = [read("fromguard"), read("node")];
for (const key of ["per_second", "cpu_us"]) {
  const [a, b] = [median(ours, key), median(peer, key)];
  console.log(`${key}: fromguard ${a}, node:http ${b}, ratio ${(a / b).toFixed(2)} (medians of ${ours.length})`);
}' "$state"
