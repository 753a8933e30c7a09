#!/usr/bin/env bash
# Deliveries taken and judgements handed out a second: SQLite, and one and two replicas on PostgreSQL.
# Usage: benches/receiver/databases.sh [DELIVERIES] [CONNECTIONS]. The PostgreSQL server is one of
# its own that syncs its commits (`cargo xtask postgres --durable`), on the disk of TMPDIR.
set -euo pipefail
cd "$(dirname "$0")/../.."

deliveries=${1:-20000}
connections=${2:-64}
secret=a-secret-of-the-benchmark
payload=tests/data/webhooks/pull_request.opened.json
target=${CARGO_TARGET_DIR:-target}
receiver=$target/release/examples/receiver

if [ -z "${FROMGUARD_TEST_POSTGRES_URL:-}" ]; then
    cargo build --quiet --release --example receiver
    exec cargo xtask postgres --durable "$0" "$@"
fi

state=$(mktemp -d "$target/databases-bench.XXXXXX")
servers=()
trap 'for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done; rm -rf "$state"' EXIT

# Deliveries to REPLICAS servers on one database, and then the judgements that they asked for.
measure() { # NAME DATABASE_URL REPLICAS
    local name=$1 database=$2 replicas=$3 loads=() judges=() replica
    servers=()
    for replica in $(seq "$replicas"); do
        : >"$state/log$replica"
        "$receiver" serve "127.0.0.1:$((39120 + replica))" "$database" "$secret" >"$state/log$replica" 2>&1 &
        servers+=($!)
        until grep -q listening "$state/log$replica"; do kill -0 "${servers[-1]}"; done
    done
    for replica in $(seq "$replicas"); do
        "$receiver" load "127.0.0.1:$((39120 + replica))" "${servers[replica - 1]}" "$secret" "$payload" \
            $((deliveries / replicas)) $((connections / replicas)) >"$state/load$replica" &
        loads+=($!)
    done
    wait "${loads[@]}"
    kill "${servers[@]}"
    wait "${servers[@]}" 2>/dev/null || true
    servers=()
    for replica in $(seq "$replicas"); do
        "$receiver" judge "$database" 16 >"$state/judge$replica" &
        judges+=($!)
    done
    wait "${judges[@]}"
    for replica in $(seq "$replicas"); do
        echo "$name, replica $replica of $replicas: deliveries $(cat "$state/load$replica") judgements $(cat "$state/judge$replica")"
    done
}

schema() { # NAME
    psql --quiet "$FROMGUARD_TEST_POSTGRES_URL" -c "CREATE SCHEMA $1" >&2
    echo "$FROMGUARD_TEST_POSTGRES_URL?options[search_path]=$1"
}

measure SQLite "sqlite:$state/bench.db" 1
measure PostgreSQL "$(schema one)" 1
measure PostgreSQL "$(schema two)" 2
