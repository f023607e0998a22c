"""Reconstructs thousands of photos, some damaged, in one process, and checks its memory.

python tools/reliability/soak.py --photos 5000

A second run into another folder is killed and restarted with --skip-existing. docs/reliability.md
has the results. Linux only.
"""

import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import click
import numpy as np
from PIL import Image

from l2rkit.cli.common import user_errors
from l2rkit.errors import UserError

ROOT = Path(__file__).parents[2]
CONFIG = "configs/unsup3d/unsup3d_heads_32.py"
EVERY = 20  # one of so many photos is damaged
SIDE = 64  # px of a photo
GROWTH = 1.05  # largest ratio of memory, in the last fifth to the second tenth
ENDINGS = (".npz", ".png", ".ply")  # files of a face, with the smallest mesh format


def jpeg(seed: int) -> bytes:
    """A JPEG of smooth colours; it need not show a face."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    photo = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    photo.save(file := io.BytesIO(), "JPEG")
    return file.getvalue()


def damaged(content: bytes, number: int) -> bytes:
    """The content of a damaged photo: in turn cut off, empty, or no picture."""
    return (content[: len(content) // 3], b"", b"not a picture")[number % 3]


def lay_out(folder: Path, photos: int) -> tuple[set[str], set[str]]:
    """Writes the photos, and returns the names of the good and of the damaged ones."""
    folder.mkdir()
    good, bad = set(), set()
    for number in range(photos):
        name, content = f"{number:06d}", jpeg(number)
        broken = number % EVERY == EVERY // 2
        (bad if broken else good).add(name)
        (folder / f"{name}.jpg").write_bytes(
            damaged(content, number // EVERY) if broken else content
        )
    return good, bad


class Run:
    """`reconstruct` of a folder in a process; `said` has its output by line."""

    def __init__(self, photos: Path, out: Path, config: str, *words: str) -> None:
        out.mkdir(exist_ok=True)
        self.out, self.log = out, out.with_suffix(f".{len(words)}.txt")
        command = [sys.executable, "-u", str(ROOT / "tools" / "reconstruct.py"), str(photos)]
        command += ["--config", config, "--out", str(out), "--no-align", "--no-index"]
        command += ["--format", "ply", *words]
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)

    @property
    def said(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()

    def written(self) -> int:
        return sum(path.suffix == ".npz" for path in self.out.iterdir())

    def memory(self) -> Iterator[tuple[int, int]]:
        """(faces written, resident bytes), repeatedly until the process ends."""
        while self.process.poll() is None:
            fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
            if len(fields) > 1 and int(fields[1]):
                yield self.written(), int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
            time.sleep(0.1)


def named(lines: list[str], photos: Path, kind: str) -> list[str]:
    """The photos named in the output's lines of a kind: `done`, `failed` or `there`."""
    marks = {"failed": ".jpg': ", "done": ".jpg -> ", "there": ".jpg: "}
    mark, begin = marks[kind], f"{photos}{os.sep}"
    found = [line.partition(begin)[2] for line in lines if begin in line]
    return [rest.partition(mark)[0] for rest in found if mark in rest]


def grown(seen: list[tuple[int, int]], photos: int) -> tuple[float, float]:
    """Median MB of memory in the second tenth of the faces, and in the last fifth."""
    first = [size for count, size in seen if 0.1 * photos <= count < 0.2 * photos]
    last = [size for count, size in seen if count >= 0.8 * photos]
    if not first or not last:
        raise UserError(f"{photos} photos are done too soon to be watched: take more")
    return median(first) / 2**20, median(last) / 2**20


def check(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise UserError(f"{what}: {got}, not {expected}")


def check_all(run: Run, photos: Path, good: set[str], bad: set[str], before: set[str]) -> None:
    """Checks that each photo is done or reported once, and that all files exist.

    before: the photos done by an earlier run.
    """
    check("status", run.process.wait(), 1 if bad else 0)
    done, failed, there = (named(run.said, photos, kind) for kind in ("done", "failed", "there"))
    check("photos done", sorted(done), sorted(good - before))
    check("photos reported as failed", sorted(failed), sorted(bad))
    check("photos that were there", sorted(there), sorted(before))
    expected = sorted(name + ending for name in good for ending in ENDINGS)
    check("files", sorted(path.name for path in run.out.iterdir()), expected)


@click.command(help=__doc__)
@click.option("--photos", default=5000, show_default=True)
@click.option("--config", default=CONFIG, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Seed of the moment of the kill.")
@user_errors
def main(photos: int, config: str, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="soak") as temporary:
        folder = Path(temporary, "photos")
        good, bad = lay_out(folder, photos)
        run = Run(folder, Path(temporary, "whole"), config)
        begun = time.monotonic()
        first, last = grown(list(run.memory()), len(good))
        check_all(run, folder, good, bad, set())
        click.echo(f"{len(good)} written, {len(bad)} reported, {time.monotonic() - begun:.0f} s")
        click.echo(f"memory: {first:.1f} MB in the second tenth, {last:.1f} MB in the last fifth")
        if last > first * GROWTH:
            raise UserError(f"memory grew by {last / first - 1:.1%}")

        run = Run(folder, Path(temporary, "broken"), config)
        number = random.Random(seed).randint(len(good) // 4, 3 * len(good) // 4)
        while run.process.poll() is None and run.written() < number:
            time.sleep(0.01)
        run.process.send_signal(signal.SIGKILL)
        check("status of the killed", run.process.wait(), -signal.SIGKILL)
        whole = {p.stem: p.stat().st_mtime_ns for p in run.out.glob("*.npz")}  # written last
        run = Run(folder, run.out, config, "--skip-existing")
        check_all(run, folder, good, bad, set(whole))
        now = {name: (run.out / f"{name}.npz").stat().st_mtime_ns for name in whole}
        again = [name for name in whole if now[name] != whole[name]]
        check("done twice", again, [])
        click.echo(f"killed after {len(whole)} faces and restarted: none done twice, none lost")


if __name__ == "__main__":
    main()
