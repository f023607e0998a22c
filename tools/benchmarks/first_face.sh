#!/usr/bin/env bash
# Times the README's way from nothing to a first own face, in a temporary folder:
#   bash tools/benchmarks/first_face.sh PHOTO [REPOSITORY]
# It clones REPOSITORY (this clone, by default), and downloads what pip does not find in its cache.
set -euo pipefail
photo=$(realpath "${1:?bash tools/benchmarks/first_face.sh PHOTO [REPOSITORY]}")
repository=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

timed() {
    local begin=$SECONDS
    "$@" >"$folder/log" 2>&1 || { tail -n 20 "$folder/log"; exit 1; }
    printf '%5d s  %s\n' $((SECONDS - begin)) "$(tail -n 1 <<<"$*")"
}

timed git clone --quiet "$repository" l2rkit
cd l2rkit
timed make install
cp "$photo" my_photo.jpg
timed .venv/bin/l2rkit reconstruct my_photo.jpg
timed .venv/bin/l2rkit reconstruct my_photo.jpg --out again
ls -l out
printf '%5d s  in all; %s cores; .venv has %s\n' $SECONDS "$(nproc)" "$(du -sh .venv | cut -f1)"
