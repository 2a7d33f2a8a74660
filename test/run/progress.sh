# Sourced by ./run: how progress and failures are told.
say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }

fail() {
  printf 'run: %s\n' "$*" >&2
  exit 1
}

# Runs a command without its output, unless it fails: then the end of what it said is shown.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    fail "'$*' failed"
  fi
  rm -f "$log"
}
