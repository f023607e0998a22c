"""Long tests of interrupted training; docs/reliability.md has their results.

python tools/reliability/chaos.py resume configs/unsup3d/unsup3d_heads_32.py --kills 3 --steps 12
python tools/reliability/chaos.py disk    # as root
PYTHONPATH=TARGET python tools/reliability/chaos.py save

`save` needs `pip install --target TARGET ckpt-chaos` first.
"""

import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from l2rkit.cli.common import user_errors
from l2rkit.config import load_config
from l2rkit.data import DetailedHeads, SyntheticHeads
from l2rkit.errors import UserError

ROOT = Path(__file__).parents[2]
TRAIN = [sys.executable, str(ROOT / "tools" / "train.py")]
STEERED = ("stages", "changes")  # arguments of hooks with iterations as keys
COMPARED = ("state_dict", "ema_state_dict", "optimizer", "param_schedulers")
BATCH, PHOTOS, VALIDATED = 8, 32, 8  # small, so that an epoch has four steps
SAVED = 2  # steps from checkpoint to checkpoint
RESUMED = re.compile(r"^resuming from iter_(\d+)\.pth", re.MULTILINE)


def tiny(config: str, steps: int, workers: int | None = None, keep: int = 2) -> Any:
    """The config with few synthetic heads and few steps, and its schedule scaled to them.

    workers: data loader processes; None keeps the config's.

    Raises:
        UserError: the config does not train on synthetic heads.
    """
    cfg = load_config(config)
    share = steps / cfg.train_cfg.max_iters
    cfg.load_from = None
    heads = heads_of(cfg.train_dataloader.dataset)
    if heads is None:
        raise UserError(f"{config} trains on no synthetic heads, which this check needs")
    shown = heads_of(cfg.val_dataloader.dataset) or deepcopy(heads)
    cfg.train_dataloader.batch_size, cfg.val_dataloader.batch_size = BATCH, BATCH
    cfg.train_dataloader.dataset = dict(heads, size=PHOTOS)
    cfg.val_dataloader.dataset = dict(shown, size=VALIDATED)
    if workers is not None:
        cfg.train_dataloader.update(num_workers=workers, persistent_workers=workers > 0)
    cfg.train_cfg.update(max_iters=steps, val_interval=5)
    cfg.default_hooks.checkpoint.update(interval=SAVED, max_keep_ckpts=keep)
    cfg.default_hooks.logger.update(interval=1)
    for hook in cfg.get("custom_hooks", []):
        for key in STEERED:
            for plan in [hook.get(key, {})] if key == "stages" else hook.get(key, {}).values():
                squeeze(plan, share)
    for scheduler in cfg.get("param_scheduler", []):
        for key in ("begin", "end", "T_max"):
            if key in scheduler:
                scheduler[key] = round(scheduler[key] * share)
        if "end" in scheduler:
            scheduler["end"] = max(scheduler["end"], scheduler.get("begin", 0) + 1)
        if "milestones" in scheduler:
            scheduler["milestones"] = [round(at * share) for at in scheduler["milestones"]]
    return cfg


def heads_of(dataset: dict) -> dict | None:
    """The config of the synthetic heads in that of a training set; None if there are none."""
    if "datasets" in dataset:
        found = [heads_of(part) for part in dataset["datasets"]]
        return next((part for part in found if part), None)
    if "dataset" in dataset:
        return heads_of(dataset["dataset"])
    kind = dataset["type"]
    name = f"{kind.__module__}.{kind.__name__}"  # for a config file
    return dict(dataset, type=name) if kind in (SyntheticHeads, DetailedHeads) else None


def squeeze(plan: dict[int, Any], share: float) -> None:
    """Scales the iterations of a plan by `share`, in place; of equal ones the later stays."""
    moved = {round(start * share): value for start, value in sorted(plan.items())}
    plan.clear()
    plan.update(moved)


def start(config: Path, work_dir: Path, *words: str) -> subprocess.Popen:
    """Training in a separate process group; its output goes to said.txt in the work dir."""
    work_dir.mkdir(parents=True, exist_ok=True)
    said = (work_dir / "said.txt").open("ab")
    command = [*TRAIN, str(config), "--work-dir", str(work_dir), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)


def end_of(process: subprocess.Popen, work_dir: Path) -> None:
    """Waits for the end of a training. Raises UserError if its status is not 0."""
    if process.wait():
        last = (work_dir / "said.txt").read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise UserError(f"training in {work_dir} ended with status {process.returncode}: {last}")


def logged(work_dir: Path) -> int:
    """The number of steps logged by all runs in a work dir; MMEngine logs each in two files."""
    logs = work_dir.glob("*/vis_data/scalars.json")
    return sum(line.count(b'"step"') for log in logs for line in log.open("rb"))


def killed(process: subprocess.Popen, work_dir: Path, rng: random.Random) -> bool:
    """Kills a training after 1 to 3 steps more than `SAVED`, so that on a slow machine, too, it
    goes on from somewhere; at a random moment. False if it ended before."""
    last = logged(work_dir) + SAVED + rng.randint(1, 3)
    while process.poll() is None and logged(work_dir) < last:
        time.sleep(0.02)
    time.sleep(rng.uniform(0, 0.5))
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value in nested dicts and lists, with its path."""
    if isinstance(content, dict):
        content = content.items()
    elif isinstance(content, list | tuple):
        content = enumerate(content)
    else:
        yield path, content
        return
    for key, value in content:
        yield from leaves(value, f"{path}.{key}")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and same_bits(one, other)
    return one == other


def same_bits(one: Tensor, other: Tensor) -> bool:
    return one.contiguous().numpy().tobytes() == other.contiguous().numpy().tobytes()


def compare(expected: Path, got: Path) -> tuple[int, list[str]]:
    """The number of values of two checkpoints under `COMPARED`, and the paths of differing ones.

    A value that only one checkpoint has differs, too.
    """
    one, other = (
        {
            path: value
            for key in COMPARED
            for path, value in leaves(torch.load(p, weights_only=True).get(key, {}), key)
        }
        for p in (expected, got)
    )
    names = sorted(one.keys() | other.keys())
    both = one.keys() & other.keys()
    return len(names), [n for n in names if n not in both or not same(one[n], other[n])]


@click.group(help=__doc__)
def main() -> None: ...


@main.command()
@click.argument("configs", nargs=-1, required=True)
@click.option("--kills", default=3, show_default=True)
@click.option("--steps", default=12, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Seed of the moments.")
@click.option("--workers", type=int, help="Data loader processes.  [default: the config's]")
@user_errors
def resume(
    configs: tuple[str, ...], kills: int, steps: int, seed: int, workers: int | None
) -> None:
    """Trains CONFIGS without and with kills and resumption; both must end with the same bits."""
    rng, failed = random.Random(seed), 0
    click.echo("| config | kills | resumed at | values | that differ |\n|---|---|---|---|---|")
    for config in configs:
        with tempfile.TemporaryDirectory(prefix="chaos") as folder:
            described, whole, broken = (Path(folder, x) for x in ("tiny.py", "whole", "broken"))
            tiny(config, steps, workers).dump(described)
            end_of(start(described, whole), whole)
            done = sum(
                killed(start(described, broken, "--resume"), broken, rng) for _ in range(kills)
            )
            end_of(start(described, broken, "--resume"), broken)
            count, differ = compare(*(run / f"iter_{steps}.pth" for run in (whole, broken)))
            at = ", ".join(RESUMED.findall((broken / "said.txt").read_text("utf-8", "replace")))
        failed += bool(differ)
        about = f"{Path(config).stem} | {done} | {at} | {count} | {len(differ)} {differ[:2] or ''}"
        click.echo(f"| {about} |")
    sys.exit(failed > 0)


@main.command()
@click.argument("config", default=str(ROOT / "configs" / "unsup3d" / "unsup3d_heads_32.py"))
@click.option("--steps", default=6, show_default=True)
@user_errors
def disk(config: str, steps: int) -> None:
    """Trains CONFIG normally, and on a disk for one and a half checkpoints, then resumes.

    The disk is a tmpfs, which only root may mount. Both must end with the same bits.
    """
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        described, whole, small = (Path(folder, x) for x in ("tiny.py", "whole", "small"))
        tiny(config, steps).dump(described)
        end_of(start(described, whole), whole)
        size = (whole / f"iter_{steps}.pth").stat().st_size
        small.mkdir()
        tmpfs = ["mount", "-t", "tmpfs", "-o", f"size={3 * size // 2}", "tmpfs", str(small)]
        subprocess.run(tmpfs, check=True)
        try:
            status = start(described, small).wait()
            said = (small / "said.txt").read_text("utf-8", "replace").splitlines()
            lines = [line for line in said if line.startswith(("Error: ", "Traceback"))]
            kept = sorted(path.name for path in small.glob("*.pth*"))
            click.echo(f"status {status}, kept {kept}, said {lines}")
            subprocess.run(["mount", "-o", f"remount,size={9 * size}", str(small)], check=True)
            end_of(start(described, small, "--resume"), small)
            count, differ = compare(*(run / f"iter_{steps}.pth" for run in (whole, small)))
        finally:
            subprocess.run(["umount", str(small)], check=True)
    click.echo(f"with more room: {len(differ)} of {count} values differ")
    sys.exit(bool(differ) or status != 2 or len(lines) != 1 or not kept)


@main.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
def digest(checkpoint: Path) -> None:
    """Prints a hash of CHECKPOINT's weights, EMA, optimizers and schedules."""
    content, found = torch.load(checkpoint, weights_only=True), sha256()
    for path, value in sorted(leaves({key: content.get(key, {}) for key in COMPARED})):
        bits = value.contiguous().numpy().tobytes() if isinstance(value, Tensor) else repr(value)
        found.update(path.encode() + (bits if isinstance(bits, bytes) else bits.encode()))
    click.echo(found.hexdigest())


@main.command()
@click.argument("config", default=str(ROOT / "configs" / "unsup3d" / "unsup3d_heads_32.py"))
@click.option("--steps", default=4, show_default=True)
@click.option("--points", default=0, help="Largest number of kills; 0 is no limit.")
@user_errors
def save(config: str, steps: int, points: int) -> None:
    """Kills a training at each change of a file, by ckpt-chaos (PyPI), and resumes it.

    It must resume from the latest complete checkpoint and end with the same bits.
    """
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        cfg, described = tiny(config, steps, keep=9), Path(folder, "tiny.py")
        cfg.default_hooks.logger.update(interval=9999)  # fewer changes of files
        cfg.custom_hooks = [hook for hook in cfg.get("custom_hooks", []) if "interval" not in hook]
        cfg.dump(described)
        command = [*TRAIN, str(described), "--resume", "--work-dir", "{out}"]
        digest = shlex.join([sys.executable, __file__, "digest", f"{{out}}/iter_{steps}.pth"])
        status = subprocess.run(
            [sys.executable, "-m", "ckpt_chaos", "run", "--work", str(Path(folder, "runs"))]
            + ["--checkpoint-glob", "{out}/iter_*.pth", "--step-regex", r"resuming from iter_(\d+)"]
            + ["--ckpt-ignore-size", "--result-cmd", digest, "--timeout", "3000"]
            + (["--max-points", str(points)] if points else [])
            + ["--fail-on", "HARD_FAIL,SILENT_DIVERGENCE,LOST_WORK,CONTROL_FAIL", "--", *command],
            cwd=ROOT,
        ).returncode
    sys.exit(status)


if __name__ == "__main__":
    main()
