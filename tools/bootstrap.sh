#!/bin/sh
# Installs the Debian packages that are missing for the groups named (default: build run), and nothing else.
# As root it installs; as a person it shows the list and asks before using sudo; without a terminal it only tells.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- build run

missing=""
for group in "$@"; do
    for package in $(awk -v group="$group" '!/^#/ && $2 == group { print $1 }' tools/packages.txt); do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Thiếu các gói (missing packages):$missing" >&2
    echo "Máy này không dùng apt: hãy cài các gói tương đương. (No apt here: install their equivalents.)" >&2
    exit 69
fi
install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
if [ "$(id -u)" -eq 0 ]; then
    echo "Cài đặt (installing):$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    $install $missing >/dev/null
elif [ -t 0 ]; then
    echo "Cần cài (needed):$missing"
    printf 'Cài bằng sudo? Install with sudo? [y/N] '
    read -r answer
    case "$answer" in
        y | Y | yes | c | C | co | có) ;;
        *) echo "Chưa cài gì. (Nothing was installed.)" >&2; exit 69 ;;
    esac
    sudo apt-get update -qq
    # shellcheck disable=SC2086
    sudo $install $missing >/dev/null
else
    echo "Thiếu các gói; hãy chạy (missing packages; run): sudo apt-get install --no-install-recommends$missing" >&2
    exit 69
fi
