#!/bin/bash
# Installs the Debian packages of one or more sets from scripts/packages, only those that are missing.
#
# Sourced by run, test and benchmark; or by itself: scripts/setup.sh SET... (build web demo unit
# sanitize peers node browser bench package fresh). Nothing is asked of apt, and no network is needed,
# when every probe holds. All messages go to stderr: stdout belongs to whoever called.
set -euo pipefail

root=${root:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}

# setup SET...: after it, every package of the sets is there; otherwise a message and a false return.
setup() {
  local missing
  # The program carries the portal's pages; a release brings them ready-made.
  if [[ " $* " == *" build "* ]] && ! [ -e "$root/web/dist/.release" ]; then set -- "$@" web; fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  # One at a time: apt keeps its own locks, but does not wait for all of them.
  mkdir -p "$root/build"
  (
    wait_for_lock "$root/build/.setup.lock" "another set-up"
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || exit 0
    announce "${missing[@]}"
    install_packages "${missing[@]}"
  ) || return 1
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return
  say "apt installed them, but these are still not found: ${missing[*]}"
  return 1
}

# setup_if_possible SET...: the same for what is welcome but not needed. A package that this machine's apt
# does not know keeps none of the others away.
setup_if_possible() {
  local missing package known=()
  setup "$@" && return 0
  mapfile -t missing < <(missing_packages "$@")
  for package in "${missing[@]}"; do
    if apt-get install --simulate --no-remove --no-install-recommends "$package" >/dev/null 2>&1; then
      known+=("$package")
    fi
  done
  if [ ${#known[@]} -gt 0 ] && [ ${#known[@]} -lt ${#missing[@]} ]; then
    say "once more with those that apt knows: ${known[*]}"
    install_packages "${known[@]}" || true
    mapfile -t missing < <(missing_packages "$@")
  fi
  [ ${#missing[@]} -eq 0 ] || say "going on without ${missing[*]}"
}

# Prints the packages of the sets whose probe fails.
missing_packages() {
  local package sets probe _ wanted
  while read -r package sets probe _; do
    [[ -n $package && $package != \#* ]] || continue
    for wanted in "$@"; do
      if [[ ,$sets, == *",$wanted,"* ]]; then
        probe "$probe" || echo "$package"
        break
      fi
    done
  done <"$root/scripts/packages"
}

# cmd:NAME            a command by this name (also where only root looks: /usr/sbin)
# cmd:NAME>=VERSION   and the first number that NAME --version prints is at least VERSION
# header:FILE         a header that the compiler finds
# header:FILE:M>=N    and it defines M as at least N
# file:PATTERN        a file that matches
# py:MODULE           a module of Debian's own Python
probe() {
  local kind=${1%%:*} what=${1#*:} path minimum='' macro='' found
  if [[ $what == *'>='* ]]; then
    minimum=${what#*>=} what=${what%>=*}
  fi
  case $kind in
    cmd)
      path=$(PATH=$PATH:/usr/sbin:/sbin type -P "$what") || return 1
      [ -n "$minimum" ] || return 0
      found=$("$path" --version 2>/dev/null) || return 1
      [[ $found =~ [0-9]+(\.[0-9]+)* ]] && at_least "${BASH_REMATCH[0]}" "$minimum"
      ;;
    header)
      [ -z "$minimum" ] || macro=${what#*:} what=${what%:*}
      path=$(first_file "/usr/local/include/$what" "/usr/include/$what" "/usr/include/*-linux-gnu*/$what") || return 1
      [ -n "$minimum" ] || return 0
      found=$(<"$path")
      [[ $found =~ define[[:blank:]]+${macro}[[:blank:]]+([0-9]+) ]] && at_least "${BASH_REMATCH[1]}" "$minimum"
      ;;
    file) first_file "$what" >/dev/null ;;
    py) /usr/bin/python3 -c "import importlib.util, sys; sys.exit(not importlib.util.find_spec('$what'))" 2>/dev/null ;;
    *) die 70 "scripts/packages: no such probe: $1" ;;
  esac
}

first_file() {
  local pattern path
  for pattern in "$@"; do
    for path in $pattern; do
      if [ -e "$path" ]; then
        echo "$path"
        return 0
      fi
    done
  done
  return 1
}

# at_least FOUND MINIMUM, number by number: 3.25.1 is at least 3.25.
at_least() {
  local -a found minimum
  local i
  IFS=. read -ra found <<<"$1"
  IFS=. read -ra minimum <<<"$2"
  for i in "${!minimum[@]}"; do
    ((10#${found[i]:-0} > 10#${minimum[i]})) && return 0
    ((10#${found[i]:-0} < 10#${minimum[i]})) && return 1
  done
  return 0
}

announce() {
  local package what name
  say "these Debian packages are missing and will be installed with apt-get:"
  for package in "$@"; do
    while read -r name _ _ what; do
      [ "$name" = "$package" ] && break
    done <"$root/scripts/packages"
    printf '    %-20s %s\n' "$package" "$what" >&2
  done
}

install_packages() {
  if can_install; then
    # A foreign source that does not answer fails the update, though Debian's own lists are fine.
    as_root apt-get "${apt_options[@]}" update >&2 </dev/null || say "apt-get update had trouble; trying with the lists at hand"
    if apt_install "$@"; then
      touch "$root/build/.installed"
      return 0
    fi
  fi
  say "could not install them. Please do it by hand, then start again:"
  say "    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
  return 1
}

# A short time-out, because a machine without network should say so soon. Nothing is ever removed.
apt_options=(-q -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Acquire::Retries=2
  -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)

apt_install() {
  as_root apt-get "${apt_options[@]}" install --yes --no-remove --no-install-recommends "$@" >&2 </dev/null
}

can_install() {
  if ! type -P apt-get >/dev/null; then
    say "there is no apt-get here: Lightship sets itself up on Debian 12 only"
  elif [ "$EUID" -ne 0 ] && ! type -P sudo >/dev/null; then
    say "installing needs root, and there is no sudo"
  elif [ "$EUID" -ne 0 ] && ! sudo -n true 2>/dev/null && ! [ -t 2 ]; then
    say "installing needs root, and sudo asks for a password without a terminal to ask on"
  else
    return 0
  fi
  return 1
}

# sudo drops the proxy settings and packages must not ask questions, so both are named. The lock's
# descriptor stays here: a service that a package starts would keep it for good.
as_root() {
  local -a names=(http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY) environment=(DEBIAN_FRONTEND=noninteractive)
  local name
  for name in "${names[@]}"; do
    [ -z "${!name:-}" ] || environment+=("$name=${!name}")
  done
  if [ "$EUID" -eq 0 ]; then
    env "${environment[@]}" "$@" 9>&-
  else
    sudo env "${environment[@]}" "$@" 9>&-
  fi
}

# wait_for_lock FILE WHAT: takes the lock on descriptor 9 until the (sub)shell ends.
wait_for_lock() {
  { exec 9>>"$1"; } 2>/dev/null || die 69 "cannot write $1 (does build/ belong to another user?)"
  flock -n 9 && return
  say "waiting for $2 to finish"
  flock 9
}

# setup_npm FOLDER: what its package-lock.json names, exactly, without running the packages' own scripts.
setup_npm() {
  local folder=$root/$1 stamp=$root/$1/node_modules/.package-lock.json
  [ -e "$folder/package-lock.json" ] || return 0
  [ -e "$stamp" ] && ! [ "$folder/package-lock.json" -nt "$stamp" ] && return 0
  say "installing the npm packages of $1 (npm ci)"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 </dev/null) && touch "$stamp"
}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  local status=$1
  shift
  say "$*"
  exit "$status"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  [ $# -gt 0 ] || die 64 "usage: scripts/setup.sh SET..."
  setup "$@" || exit 69
  ! [[ " $* " == *" node "* ]] || setup_npm tests/peers/node || exit 69
fi
