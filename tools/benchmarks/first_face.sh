#!/usr/bin/env bash
# Times the README's way from nothing to a first own face, in a temporary folder:
#   bash tools/benchmarks/first_face.sh PHOTO [REPOSITORY]
# It clones REPOSITORY (this clone, by default); pip downloads what is not in its cache. The second
# reconstruction is without the compilation that the first one begins with.
set -euo pipefail
photo=$(realpath "${1:?bash tools/benchmarks/first_face.sh PHOTO [REPOSITORY]}")
repository=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

timed() {
    local TIMEFORMAT="%0R s (%0U s of processor time)  $*"
    time "$@" >"$folder/log" 2>&1 || { tail -n 20 "$folder/log"; exit 1; }
}

timed git clone --quiet "$repository" l2rkit
cd l2rkit
timed make install
cp "$photo" my_photo.jpg
timed .venv/bin/l2rkit reconstruct my_photo.jpg
timed .venv/bin/l2rkit reconstruct my_photo.jpg --out again
ls -l out
echo "$SECONDS s in all, on $(getconf _NPROCESSORS_ONLN) cores; .venv has $(du -sh .venv | cut -f1)"
