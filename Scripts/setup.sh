#!/bin/sh
# Installs the Debian packages that Weir needs and this machine lacks. Where nothing is missing it
# asks dpkg once and touches nothing.
#
# usage: sh Scripts/setup.sh [bench]    (bench: also what `make bench` needs)
set -eu

# What Weir is linked with.
packages="libzstd-dev libsimdjson-dev libxxhash-dev zlib1g-dev libutf8proc-dev libssl-dev libre2-dev libsqlite3-dev"
# What it reads while it runs: time zones.
packages="$packages tzdata"
# What the Swift toolchain needs to start, to compile C++, to link and to fetch packages.
packages="$packages libstdc++-12-dev binutils libcurl4 libncurses6 libxml2 git ca-certificates"
if [ "${1:-}" = bench ]; then packages="$packages g++ python3-venv"; fi

if ! command -v swift >/dev/null; then
  echo "setup: there is no \`swift\` on PATH" >&2
  echo "  try: install Swift 6.3 (https://www.swift.org/install/linux/) and put its usr/bin on PATH" >&2
  exit 1
fi

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; the build needs what these packages hold there: $packages" >&2
  exit 0
fi

missing=
# shellcheck disable=SC2086
installed=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' $packages 2>/dev/null || true)"
for package in $packages; do
  case $installed in
  *" installed=$package "*) ;;
  *) missing="$missing $package" ;;
  esac
done
if [ -z "$missing" ]; then exit 0; fi

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root=sudo
else
  echo "setup: these Debian packages are missing, and this user may not install them:$missing" >&2
  echo "  try: as root, apt-get update && apt-get install --no-install-recommends$missing" >&2
  exit 1
fi

echo "setup: installing$missing"
# shellcheck disable=SC2086
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install $options $missing; }
options="-y -q --no-install-recommends"

# The lists of packages are fetched only where they are not there yet, or too old to serve.
# shellcheck disable=SC2086
if apt-get install --simulate $options $missing >/dev/null 2>&1 && install; then exit 0; fi
$as_root apt-get update -q
install
