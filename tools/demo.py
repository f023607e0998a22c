"""What `make demo` runs: some bad sample photos, a short training, and a leaderboard.

The leaderboard has what was trained, and shipped weights, L2R's among them, on bad photos of heads.
Each step is a command that works by itself too; it is printed before it runs.
"""

import shlex
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
SHIPPED = ("configs/unsup3d/unsup3d_heads.py", "configs/l2r/l2r_heads.py")
SHORT = "configs/unsup3d/unsup3d_heads_32.py"
SAMPLES = [f"l2rkit/zoo/samples/portrait_{number}_severe.jpg" for number in range(1, 6)]


@click.command(help=__doc__)
@click.option("--out", default="work_dirs/demo", show_default=True)
@click.option("--iterations", default=300, show_default=True, help="Steps of the short training.")
@click.option("--images", default=256, show_default=True, help="Test images of the leaderboard.")
def main(out: str, iterations: int, images: int) -> None:
    results = f"{out}/results.json"
    Path(ROOT, results).unlink(missing_ok=True)
    test_set = [f"test_dataloader.dataset.size={images}"]
    short = [
        f"train_cfg.max_iters={iterations}",
        f"train_cfg.val_interval={iterations}",
        f"default_hooks.checkpoint.interval={iterations}",
        "default_hooks.logger.interval=50",
        "train_dataloader.dataset.size=1024",
        "val_dataloader.dataset.size=128",
    ]
    run("tools/reconstruct.py", *SAMPLES, "--sheet", "--out", f"{out}/photos")
    run("tools/train.py", SHORT, "--work-dir", f"{out}/train", *options(short))
    weights = f"{out}/train/iter_{iterations}.pth"
    run("tools/test.py", SHORT, weights, "--results", results, *options(test_set))
    for config in SHIPPED:
        bad = ("--level", "severe", "--results", results)
        run("tools/test.py", config, *bad, *options(test_set))
    run("tools/leaderboard.py", results)
    click.echo(f"\nPictures and meshes of the photos are in {out}/photos; see contact-sheet.png.")


def options(values: list[str]) -> list[str]:
    """Each value behind its own --cfg-options."""
    return [word for value in values for word in ("--cfg-options", value)]


def run(*words: str) -> None:
    """Prints a command, runs it in the repository, and ends with its status if it fails."""
    click.secho("\n$ python " + shlex.join(words), bold=True)
    sys.stdout.flush()
    status = subprocess.run([sys.executable, *words], cwd=ROOT).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
