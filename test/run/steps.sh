# Sourced by ./run: the steps of `./run test`, in order; each can be run alone as `./run test STEP`.
quick_steps=(format layout unit headers fuzz lint e2e)
full_steps=(format layout unit headers fuzz coverage lint_all e2e tsan clang)
fuzz_seconds=${FUZZ_SECONDS:-20}

step_format() { sources | xargs clang-format-16 --dry-run --Werror; }

step_layout() { python3 -m pytest -q test/layout charts manifests --ignore-glob='*e2e*' -p no:cacheprovider; }

# Unit and component tests under AddressSanitizer and UBSan.
step_unit() {
  build asan
  ctest_in asan
}

step_headers() { build asan --target check_headers; }

step_fuzz() {
  build fuzz --target fuzz_targets
  local target name
  for target in build/fuzz/bin/fuzz_*; do
    name=${target##*/fuzz_}
    mkdir -p "build/fuzz/found/$name" "test/fuzz/corpus/$name"
    say "fuzz $name, $fuzz_seconds s"
    quietly "$target" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 \
      -artifact_prefix="build/fuzz/found/$name-" "build/fuzz/found/$name" "test/fuzz/corpus/$name"
  done
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
  python3 -m pytest -q -p no:cacheprovider test/cluster test/e2e
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
  ctest --test-dir "build/$1" --output-on-failure --timeout 300
}

test_main() {
  local steps=() full=
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
  local step started
  for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || fail "no step '$step'; there are: ${full_steps[*]}"
    if [[ $full ]] && grep -qx "$step" "$done_file"; then
      say "$step: passed before"
      continue
    fi
    say "== $step"
    started=$SECONDS
    "step_$step"
    say "== $step passed in $((SECONDS - started)) s"
    [[ ! $full ]] || echo "$step" >>"$done_file"
  done
  say "all passed: ${steps[*]}"
}
