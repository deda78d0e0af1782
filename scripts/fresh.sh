#!/bin/bash
# Proves that a bare Debian 12 is enough: ./run and ./test unit in a new root made with debootstrap.
#
# The root gets the host's apt sources of Debian, proxies and certificates, and two clones of HEAD: one for
# root, one for a user with sudo. Everything is mounted in a namespace of its own and deleted at the end.
# Prints one line a test, and last `N passed, N failed, N skipped`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

release=bookworm
certificates=(SSL_CERT_FILE NODE_EXTRA_CA_CERTS CURL_CA_BUNDLE REQUESTS_CA_BUNDLE)
proxies=(http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY)

main() {
  setup fresh || die 69 "debootstrap and git are needed"
  git -C "$root" rev-parse --verify --quiet HEAD >/dev/null || die 69 "there is no commit to clone yet"
  [ -z "$(git -C "$root" status --porcelain)" ] || say "note: HEAD is tested, without what is not committed"
  if [ "$EUID" -ne 0 ]; then
    mapfile -t kept < <(kept_environment)
    exec sudo env "${kept[@]}" "$root/scripts/fresh.sh"
  fi

  mkdir -p "$root/build"
  bare=$(mktemp -d "${TMPDIR:-$root/build}/fresh.XXXXXX")
  chmod 755 "$bare"
  trap 'rm -rf --one-file-system "$bare"' EXIT
  # What is started inside ends with its process namespace, what is mounted goes with its mount namespace.
  unshare --mount --pid --fork --kill-child --mount-proc "$root/scripts/fresh.sh" --inside "$bare" &
  trap 'kill -KILL $!' INT TERM
  wait $!
}

inside() {
  bare=$1
  say "making a bare Debian ($release) in $bare"
  debootstrap --variant=minbase --include=ca-certificates,sudo "$release" "$bare" "$(mirror)" >&2 ||
    die 69 "debootstrap failed"
  like_the_host
  mount -t proc proc "$bare/proc"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$bare/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$bare/dev/shm"

  in_root useradd --create-home --shell /bin/bash sailor
  echo 'sailor ALL=(ALL) NOPASSWD: ALL' >"$bare/etc/sudoers.d/sailor"
  git clone --quiet --no-hardlinks "$root" "$bare/root/lightship"
  git clone --quiet --no-hardlinks "$root" "$bare/home/sailor/lightship"
  in_root chown -R sailor:sailor /home/sailor/lightship

  passed=0 failed=0 skipped=0
  attempt "root: ./run demo --seconds 5" in_root /root/lightship/run demo --seconds 5
  attempt "root: ./run version" in_root /root/lightship/run version
  attempt "root: ./run version, within 2 s and without network" without_network /root/lightship/run version
  attempt "user with sudo: ./run version" as_sailor ./run version
  counted "user with sudo: ./test unit" as_sailor ./test unit
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

# The Debian mirror among the host's sources.
mirror() {
  local found
  # shellcheck disable=SC2016 # apt fills these in
  found=$(apt-get -o APT::Get::IndexTargets::OnlyPresent=false indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$release" '$1 == release && $2 ~ /\/debian\// { print $2; exit }')
  [ -n "$found" ] || die 69 "no Debian $release among this machine's apt sources"
  echo "$found"
}

like_the_host() {
  local path name
  # Sources of Debian only: others are not needed, and may not answer.
  rm -f "$bare/etc/apt/sources.list"
  for path in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    if [ -f "$path" ] && ! grep -E '^[^#]*://' "$path" | grep -qvE '/debian(-security)?(/|[[:space:]]|$)'; then
      copy "$path"
    fi
  done
  for path in /usr/share/keyrings /etc/apt/keyrings /etc/apt/trusted.gpg.d /etc/apt/auth.conf /etc/apt/auth.conf.d \
    /etc/apt/preferences.d /usr/local/share/ca-certificates /etc/npmrc /usr/etc/npmrc /usr/local/etc/npmrc; do
    copy "$path"
  done
  # Of apt's settings those about fetching: others may name programs that are not there.
  apt-config dump --format '%f "%v";%n' Acquire | grep -iE '::(proxy|check-|cainfo|sslcert|verify)' >"$bare/etc/apt/apt.conf.d/90host" || true
  # Links are followed on this side and replaced on the other: copying onto a link would follow it out.
  cp -rL --remove-destination /etc/ssl/certs/. "$bare/etc/ssl/certs/" 2>/dev/null || true
  for name in "${certificates[@]}"; do
    path=${!name:-}
    if [ -f "$path" ]; then install -D -m 644 "$path" "$bare$path"; fi
  done
  cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
  # Services that packages bring must not start here.
  printf '#!/bin/sh\nexit 101\n' >"$bare/usr/sbin/policy-rc.d"
  chmod 755 "$bare/usr/sbin/policy-rc.d"
}

# To the same place in the root, where the host has it.
copy() {
  [ -e "$1" ] || return 0
  mkdir -p "$bare${1%/*}"
  cp -a "$1" "$bare${1%/*}/"
}

kept_environment() {
  local name
  for name in "${certificates[@]}" "${proxies[@]}" SSL_CERT_DIR TMPDIR; do
    if [ -n "${!name:-}" ]; then echo "$name=${!name}"; fi
  done
}

# as USER COMMAND...: in the root, with the environment of a fresh login and the host's way to the network.
as() {
  local user=$1 home kept
  shift
  home=/home/$user
  [ "$user" != root ] || home=/root
  mapfile -t kept < <(unset TMPDIR && kept_environment)
  chroot "$bare" runuser -u "$user" -- env -i HOME="$home" USER="$user" LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${kept[@]}" \
    /bin/bash -c 'cd ~/lightship 2>/dev/null || cd; exec "$@"' - "$@" </dev/null
}

in_root() { as root "$@"; }
as_sailor() { as sailor "$@"; }

without_network() {
  unshare --net timeout 2 chroot "$bare" "$@" </dev/null
}

attempt() {
  local title=$1
  shift
  say "$title"
  if "$@" >&2; then
    echo "ok $title"
    passed=$((passed + 1))
  else
    echo "FAILED $title (exit status $?)"
    failed=$((failed + 1))
  fi
}

# The tests within count one by one; when they cannot say how many they were, as one that failed.
counted() {
  local title=$1 output last
  shift
  say "$title"
  output=$(mktemp)
  "$@" 2>&1 | tee "$output" >&2 || true
  last=$(tail -n 1 "$output")
  rm -f "$output"
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    echo "$title: $last"
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
  else
    echo "FAILED $title"
    failed=$((failed + 1))
  fi
}

case ${1:-} in
  --inside) inside "$2" ;;
  '') main ;;
  *) die 64 "usage: scripts/fresh.sh" ;;
esac
