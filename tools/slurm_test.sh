#!/usr/bin/env bash
# Evaluates WEIGHTS with Slurm:
# [GPUS=8] tools/slurm_test.sh PARTITION JOB_NAME CONFIG WEIGHTS [OPTIONS]
PARTITION=${1:?usage: tools/slurm_test.sh PARTITION JOB_NAME CONFIG WEIGHTS [OPTIONS]}
JOB_NAME=${2:?a name for the job}
CONFIG=${3:?a config}
WEIGHTS=${4:?a weight file or checkpoint}
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-$((GPUS < 8 ? GPUS : 8))}
PYTHONPATH="$(dirname "$0")/..:$PYTHONPATH" exec srun -p "$PARTITION" --job-name="$JOB_NAME" \
    --gres=gpu:"$GPUS_PER_NODE" --ntasks="$GPUS" --ntasks-per-node="$GPUS_PER_NODE" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 $SRUN_ARGS \
    ${PYTHON:-python} -u "$(dirname "$0")/test.py" "$CONFIG" "$WEIGHTS" \
    --launcher slurm "${@:5}"
