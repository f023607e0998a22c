"""`l2rkit demo`: reconstructs sample photos, trains briefly and prints a leaderboard."""

import shlex
import subprocess
import sys
from pathlib import Path

import click

from ..zoo import FOLDER
from .common import HELP, user_errors
from .paths import writable_folder

SHIPPED = (
    ("configs/unsup3d/unsup3d_heads2.py", "--restore", "FaceRestorer"),
    ("configs/l2r/l2r_heads2.py",),
)
SHORT = "configs/unsup3d/unsup3d_heads_32.py"
SAMPLES = [FOLDER / "samples" / f"portrait_{number}_severe.jpg" for number in range(1, 6)]


@click.command(
    context_settings=HELP, short_help="Reconstructs samples, trains for some minutes, compares."
)
@click.option("--out", default="work_dirs/demo", show_default=True)
@click.option("--iterations", default=300, show_default=True, help="Steps of the short training.")
@click.option("--images", default=256, show_default=True, help="Test images of the leaderboard.")
@user_errors
def demo(out: str, iterations: int, images: int) -> None:
    """Reconstructs bad sample photos, trains for some minutes, and prints a leaderboard.

    The leaderboard compares the trained model and shipped ones, including L2R, on bad photos of
    heads. Each step is an l2rkit command and is printed before it runs. Takes some minutes on two
    cores. `make demo` does the same; `l2rkit app` is the browser page.
    """
    writable_folder(out)
    results = f"{out}/results.json"
    Path(results).unlink(missing_ok=True)
    test_set = ["--cfg-options", f"test_dataloader.dataset.size={images}"]
    short = [
        f"train_cfg.max_iters={iterations}",
        f"train_cfg.val_interval={iterations}",
        f"default_hooks.checkpoint.interval={iterations}",
        "default_hooks.logger.interval=50",
        "train_dataloader.dataset.size=1024",
        "val_dataloader.dataset.size=128",
    ]
    run("reconstruct", *map(str, SAMPLES), "--sheet", "--out", f"{out}/photos")
    work_dir = f"{out}/train-{iterations}"
    run("train", SHORT, "--work-dir", work_dir, "--resume", "--cfg-options", *short)
    weights = f"{work_dir}/iter_{iterations}.pth"
    run("test", SHORT, weights, "--results", results, *test_set)
    for method in SHIPPED:
        compared = ["--protocol", "heads2", "--level", "severe", "--results", results]
        run("test", *method, *compared, *test_set)
    run("leaderboard", results)
    click.echo(f"\nPictures and meshes of the photos are in {out}/photos; see index.html there.")


def run(*words: str) -> None:
    """Prints and runs an l2rkit command; exits with its status if it fails."""
    click.secho("\n$ l2rkit " + shlex.join(words), bold=True)
    sys.stdout.flush()
    status = subprocess.run([sys.executable, "-m", "l2rkit", *words]).returncode
    if status:
        sys.exit(status)
