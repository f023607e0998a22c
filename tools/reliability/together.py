"""Tests training in two processes on this machine: its speed, and the end if one is killed.

python tools/reliability/together.py configs/l2r/l2r_heads.py
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from chaos import BATCH, ROOT, TRAIN, end_of, logged, tiny

from l2rkit.cli.common import user_errors


def start(config: Path, work_dir: Path, processes: int) -> subprocess.Popen:
    """Training under torchrun; its output goes to said.txt in the work dir."""
    work_dir.mkdir(parents=True, exist_ok=True)
    said = (work_dir / "said.txt").open("ab")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", str(processes), *TRAIN[1:], str(config)]
    command += ["--work-dir", str(work_dir), "--launcher", "pytorch"]
    return subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)


def seconds_per_step(work_dir: Path) -> float:
    """The median of the steps' seconds, without the first step."""
    lines = [json.loads(x) for p in work_dir.glob("*/vis_data/*.json") for x in p.open()]
    times = sorted(line["time"] for line in lines if line.get("step", 0) > 1 and "time" in line)
    return times[len(times) // 2]


def children(process: subprocess.Popen) -> list[int]:
    """The process ids that torchrun started, in order; Linux only."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


@click.command(help=__doc__)
@click.argument("configs", nargs=-1, required=True)
@click.option("--steps", default=12, show_default=True)
@user_errors
def main(configs: tuple[str, ...], steps: int) -> None:
    click.echo("| config | s/step, 1 process | s/step, 2 | status, one killed | ended after s |")
    click.echo("|---|---|---|---|---|")
    for config in configs:
        with tempfile.TemporaryDirectory(prefix="together") as folder:
            described = Path(folder, "tiny.py")
            cfg = tiny(config, steps, workers=0)
            # excludes saving, and MMEngine's pause of 2 s after each epoch
            cfg.default_hooks.checkpoint.interval = steps
            cfg.train_dataloader.dataset.size = 2 * steps * BATCH
            cfg.log_processor = dict(by_epoch=False, window_size=1)  # each step separately
            cfg.dump(described)
            speeds = []
            for processes in (1, 2):
                end_of(start(described, run := Path(folder, str(processes)), processes), run)
                speeds.append(seconds_per_step(run))
            dying = start(described, run := Path(folder, "dying"), 2)
            while dying.poll() is None and not logged(run):
                time.sleep(0.02)
            os.kill(children(dying)[-1], signal.SIGKILL)
            begun, status = time.monotonic(), dying.wait()
        spent = time.monotonic() - begun
        one, two = speeds
        click.echo(f"| {Path(config).stem} | {one:.2f} | {two:.2f} | {status} | {spent:.1f} |")


if __name__ == "__main__":
    main()
