#!/usr/bin/env bash
# Trains CONFIG in several processes, of one machine or of NNODES:
# tools/dist_train.sh CONFIG GPUS [OPTIONS]
CONFIG=${1:?usage: tools/dist_train.sh CONFIG GPUS [OPTIONS of tools/train.py]}
GPUS=${2:?number of processes on this machine}
PYTHONPATH="$(dirname "$0")/..:$PYTHONPATH" exec ${PYTHON:-python} -m torch.distributed.run \
    --nnodes "${NNODES:-1}" --node-rank "${NODE_RANK:-0}" --nproc-per-node "$GPUS" \
    --master-addr "${MASTER_ADDR:-127.0.0.1}" --master-port "${PORT:-29500}" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
