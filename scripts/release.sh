#!/bin/bash
# Makes build/lightship-VERSION.tar.gz: the sources of HEAD and the portal's pages ready-made, so that
# building it needs no Node and no npm. The same commit gives the same archive.
#
# VERSION is that of CMakeLists.txt. The last line on stdout is the archive's path.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

git -C "$root" rev-parse --verify --quiet HEAD >/dev/null || die 69 "a release is made from a commit, and there is none here"
setup web || exit 69
version=$(sed -nE 's/^project\(lightship VERSION ([0-9.]+).*/\1/p' "$root/CMakeLists.txt")
[ -n "$version" ] || die 70 "CMakeLists.txt does not say the version"

mkdir -p "$root/build"
work=$(mktemp -d "$root/build/release-archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/lightship-$version
git -C "$root" archive --prefix="lightship-$version/" HEAD | tar -x -C "$work"

# The pages of the working tree are those of HEAD, or it is not released.
/usr/bin/python3 -B "$root/web/scripts/build.py" --out "$root/build/web" >&2
digest=$(/usr/bin/python3 -B "$tree/web/scripts/build.py" --out "$work" --digest)
[ "$digest" = "$(cat "$root/build/web/dist.sources")" ] || die 70 "web/ differs from HEAD: commit it first"
cp -r "$root/build/web/dist" "$tree/web/dist"
echo "$digest" >"$tree/web/dist/.release"

archive=$root/build/lightship-$version.tar.gz
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --mtime="@$(git -C "$root" log -1 --format=%ct)" -c "lightship-$version" | gzip -9n >"$archive.new"
mv "$archive.new" "$archive"
echo "$archive"
