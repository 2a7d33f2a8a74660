# Sourced by ./run: the steps of `./run test`, in order; each can be run alone as `./run test STEP`.
quick_steps=(format layout unit e2e headers fuzz lint)
full_steps=(format layout unit headers fuzz coverage lint_all conformance faults e2e rolled tsan clang)
fuzz_seconds=${FUZZ_SECONDS:-20}

step_format() { sources | xargs clang-format-16 --dry-run --Werror; }

step_layout() { python3 -m pytest -q test/layout charts manifests --ignore-glob='*e2e*' -p no:cacheprovider; }

# Unit and component tests under AddressSanitizer and UBSan.
step_unit() {
  build asan
  ctest_in asan
}

# Against what others say: PostgreSQL's own parser, servers and tests, and the drivers that applications have. Takes
# minutes.
step_conformance() {
  build asan --target conformance_postgresql_route ambassador-proxy
  build release --target ambassador-proxy  # where memory is measured
  PRESET=asan python3 -m pytest -q -p no:cacheprovider test/conformance
}

# What clients see while servers fail behind the proxy. Takes minutes; one case alone: test/faults/faults.py CASE
step_faults() {
  build release
  python3 -m pytest -q -p no:cacheprovider test/faults
  python3 test/faults/faults.py
}

step_headers() { build asan --target check_headers; }

step_fuzz() {
  build fuzz --target fuzz_targets
  printf '%s\n' build/fuzz/bin/fuzz_* | sed 's/.*fuzz_//' | xargs -P "$cores" -I{} test/fuzz/try {} "$fuzz_seconds"
}

# What the fuzz targets reach with all inputs known for them.
step_coverage() {
  build coverage --target fuzz_targets
  local target
  for target in build/coverage/bin/fuzz_*; do test/fuzz/coverage "${target##*/fuzz_}"; done
}

step_lint() { lint; }
step_lint_all() { lint --all; }

# On the one-node Kubernetes, with release builds in images made of our own Dockerfiles.
step_e2e() {
  build release
  python3 -m pytest -q -p no:cacheprovider test/cluster test/e2e --ignore=test/e2e/test_rolled.py
}

# There too, minutes for each mode of Redis.
step_rolled() {
  build release
  python3 -m pytest -q -p no:cacheprovider test/e2e/test_rolled.py
}

step_tsan() {
  build tsan
  ctest_in tsan
}

step_clang() {
  build clang
  ctest_in clang
}

ctest_in() {
  ctest --test-dir "build/$1" -j "$cores" --output-on-failure --timeout 600
}

# The end-to-end tests wait most of their time: steps that are named behind e2e run beside it, at the lowest priority. It
# is a session of its own, for which the kernel may share out the cores by session (sched_autogroup).
e2e_log=build/e2e.log

begin_e2e() {
  build release
  say "== e2e: runs beside the steps that follow, into $e2e_log"
  setsid ./run test e2e >"$e2e_log" 2>&1 &
  e2e_process=$!
  trap stop_e2e EXIT
  renice -n 19 $$ >/dev/null
  echo 19 >/proc/self/autogroup 2>/dev/null || true
}

# Another step failed, or we were interrupted.
stop_e2e() {
  trap - EXIT
  pkill -P "$e2e_process" || true  # first: a child whose parent is gone is not found any more
  kill "$e2e_process" 2>/dev/null || return 0
  python3 test/cluster/cluster.py down >/dev/null
}

end_e2e() {
  say "== e2e"
  tail -n +1 -f --pid="$e2e_process" "$e2e_log"
  local result=0
  wait "$e2e_process" || result=$?
  trap - EXIT
  return "$result"
}

run_step() {
  declare -F "step_$1" >/dev/null || fail "no step '$1'; there are: ${full_steps[*]}"
  say "== $1"
  local started=$SECONDS
  "step_$1"
  say "== $1 passed in $((SECONDS - started)) s"
}

test_main() {
  local steps=() full= beside= step
  case ${1:-} in
    --full) full=yes; steps=("${full_steps[@]}") ;;
    "") steps=("${quick_steps[@]}") ;;
    *) steps=("$@") ;;
  esac
  setup
  # --full is resumed where it stopped, as long as nothing has changed.
  local done_file=
  if [[ $full ]]; then
    mkdir -p build/full
    done_file=build/full/$(git rev-parse HEAD)-$(git diff HEAD | sha256sum | cut -c1-12)
    touch "$done_file"
  fi
  for step in "${steps[@]}"; do
    if [[ ! $full && $step == e2e && $step != "${steps[-1]}" ]]; then
      begin_e2e
      beside=yes
    elif [[ $full ]] && grep -qx "$step" "$done_file"; then
      say "$step: passed before"
    else
      run_step "$step"
      [[ ! $full ]] || echo "$step" >>"$done_file"
    fi
  done
  [[ ! $beside ]] || end_e2e
  say "all passed: ${steps[*]}"
}
