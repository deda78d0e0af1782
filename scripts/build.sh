#!/bin/bash
# Configures and builds a preset, one build at a time, and knows when there is nothing to build. Sourced
# after setup.sh.
set -euo pipefail
: "${root:?}"

# What the program is made of. Folders count too: their time changes when a file comes or goes.
sources=(src include meters cmake CMakeLists.txt CMakePresets.json
  web/src web/public web/scripts web/{index,login}.html web/{package,package-lock,tsconfig}.json web/{svelte,vite}.config.{js,ts})

# up_to_date: whether build/release/lightship is newer than everything it is made of. Asked before every
# ./run, so it starts no compiler, no ninja and no cmake.
up_to_date() {
  local stamp=$root/build/release/.built there=() path
  [ -x "$root/build/release/lightship" ] && [ -e "$stamp" ] || return 1
  for path in "${sources[@]}"; do
    if [ -e "$root/$path" ]; then there+=("$root/$path"); fi
  done
  [ -z "$(find "${there[@]}" -newer "$stamp" -print -quit)" ]
}

# build PRESET TARGET...: waits for another build of this preset, then brings the targets up to date.
# Progress goes to stderr.
build() {
  local preset=$1
  shift
  mkdir -p "$root/build/$preset"
  (
    wait_for_lock "$root/build/.$preset.lock" "another build"
    build_locked "$preset" "$@"
  )
}

# The program for ./run. Whoever waited for another build finds it done.
build_program() {
  up_to_date && return
  mkdir -p "$root/build/release"
  (
    wait_for_lock "$root/build/.release.lock" "another build"
    up_to_date && exit
    build_locked release lightship
  )
}

# The stamp carries the time when the build began: what was edited meanwhile is newer.
build_locked() {
  local preset=$1 folder=$root/build/$1
  shift
  touch "$folder/.began"
  configure "$preset" || return
  say "building $* ($preset)"
  cmake --build "$folder" --target "$@" >&2 9>&- </dev/null || return
  # A test whose source is gone would still be run.
  ninja -C "$folder" -t cleandead >/dev/null || return
  if [[ $preset = release && " $* " == *" lightship "* || " $* " == *" all "* ]]; then
    mv "$folder/.began" "$folder/.built"
  fi
}

# ninja configures again by itself when a CMake file changes; only what it cannot see is looked at here:
# the presets, and libraries that were installed since. Without the stamp it is done in any case.
configure() {
  local folder=$root/build/$1 stamp=$root/build/$1/.configured
  if [ -e "$stamp" ] && [ -e "$folder/build.ninja" ] && ! [ "$root/CMakePresets.json" -nt "$stamp" ] &&
    ! [ "$root/build/.installed" -nt "$stamp" ]; then
    return
  fi
  say "configuring ($1)"
  rm -f "$stamp"
  (cd "$root" && cmake --preset "$1" >&2 9>&- </dev/null) && touch "$stamp"
}
