#!/usr/bin/env bash
# Checks and times l2rkit on a machine with a GPU and without a network, in at most SECONDS.
#
#   bash tools/benchmarks/device.sh OUT [SECONDS] [--rehearse]
#   bash tools/benchmarks/device.sh --pack FOLDER
#
# It writes at most eight small files into OUT; device.json there says how each part ended. SECONDS
# are 540 by default. --rehearse runs all parts on a CPU, at tiny sizes.
#
# The machine is assumed to have python3 (or what PYTHON names) with PyTorch for CUDA, its Triton,
# NumPy, OpenCV, Numba, safetensors, Pillow, click, filelock, hypothesis and pytest. The rest is
# carried: --pack, run where there is a network, makes FOLDER/l2rkit.tar.gz of the working tree,
# without weights that nothing here needs, and of wheels; it fails if they are more than 64 MiB.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}

pack() {
    set -e
    local wheels=$1/wheels
    mkdir -p "$wheels"
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$wheels" \
        addict==2.4.0 mmcv-lite==2.2.0 mmengine==0.10.7 platformdirs==4.14.0 termcolor==3.3.0 \
        trimesh==5.2.0 yapf==0.43.0
    local kept='mobilenet_v2_features|face_embedding|face_restorer'
    cd "$here"
    git ls-files | grep -Ev '^docs/.*\.jpg$|^l2rkit/zoo/samples/|\.onnx$' |
        grep -Ev "^l2rkit/zoo/.*\.safetensors$" >"$wheels.files"
    git ls-files l2rkit/zoo | grep -E "($kept)\.safetensors$" >>"$wheels.files"
    tar -czf "$1/l2rkit.tar.gz" -T "$wheels.files" --transform 's,^,l2rkit/,' \
        -C "$(dirname "$wheels")" --transform 's,^l2rkit/wheels,l2rkit/.wheels,' wheels
    rm -r "$wheels" "$wheels.files"
    local size
    size=$(stat -c %s "$1/l2rkit.tar.gz")
    echo "$1/l2rkit.tar.gz: $((size / 1048576)) MiB"
    if ((size > 64 * 1048576)); then
        echo "more than 64 MiB" >&2
        exit 1
    fi
}

if [ "${1:-}" = --pack ] && [ -n "${2:-}" ]; then
    mkdir -p "$2"
    pack "$(cd "$2" && pwd)"
    exit
fi
if [ -z "${1:-}" ] || [ "${1#-}" != "$1" ]; then
    echo "usage: device.sh OUT [SECONDS] [--rehearse], or device.sh --pack FOLDER" >&2
    exit 2
fi
mkdir -p "$1"
export PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
if compgen -G "$here/.wheels/*.whl" >/dev/null; then
    site=$(mktemp -d)
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" \
        "$here"/.wheels/*.whl || exit 1
    export PYTHONPATH=$site:$PYTHONPATH
fi
exec "$python" "$here/tools/benchmarks/device.py" "$@"
