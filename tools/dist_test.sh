#!/usr/bin/env bash
# Evaluates WEIGHTS in several processes: tools/dist_test.sh CONFIG WEIGHTS GPUS [OPTIONS]
CONFIG=${1:?usage: tools/dist_test.sh CONFIG WEIGHTS GPUS [OPTIONS of tools/test.py]}
WEIGHTS=${2:?a weight file or checkpoint}
GPUS=${3:?number of processes on this machine}
PYTHONPATH="$(dirname "$0")/..:$PYTHONPATH" exec ${PYTHON:-python} -m torch.distributed.run \
    --nnodes "${NNODES:-1}" --node-rank "${NODE_RANK:-0}" --nproc-per-node "$GPUS" \
    --master-addr "${MASTER_ADDR:-127.0.0.1}" --master-port "${PORT:-29500}" \
    "$(dirname "$0")/test.py" "$CONFIG" "$WEIGHTS" --launcher pytorch "${@:4}"
