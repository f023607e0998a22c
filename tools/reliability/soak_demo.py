"""Tests the page of `l2rkit app` with many users at once: answers, waiting times and memory.

python tools/reliability/soak_demo.py --people 20 --seconds 60 --method l2r_openfaces_images

It needs gradio: pip install 'gradio>=6.31,<7'. Linux only.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median

import click
import trimesh

from l2rkit.cli.common import user_errors
from l2rkit.demo.choices import NOTHING, SAMPLES, shipped_choices
from l2rkit.errors import UserError

COMMAND = "from l2rkit.cli import main; main()"
PATIENCE = 120  # s, time limit for the page's start with its default method, and for an answer


class Server:
    """The page in a separate process, with its files in `folder`; `close` sends SIGTERM."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address, self.folder = f"http://127.0.0.1:{port}", Path(folder)
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", COMMAND, "app", "--port", str(port)],
            env=os.environ | {"TMPDIR": folder},
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Waits until the page reports that it is ready. Raises UserError if it does not."""
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        there = any("is there" in line for line in self.process.stdout)
        timer.cancel()
        if not there:
            raise UserError(f"the page did not come within {PATIENCE} s, or ended")

    def memory(self) -> float:
        """The resident memory in MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def disk(self) -> float:
        """The size of its files in MB."""
        return sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file()) / 2**20

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Person(threading.Thread):
    """A user who uploads samples one after another and checks the meshes, until `end`."""

    def __init__(self, address: str, method: str, seed: int, end: float) -> None:
        super().__init__(daemon=True)
        self.address, self.method, self.end = address, method, end
        self.choice = random.Random(seed)
        self.took: list[float] = []  # s per answer
        self.failed: Counter[str] = Counter()

    def run(self) -> None:
        from gradio_client import Client

        with tempfile.TemporaryDirectory(prefix="soak") as folder:
            patient = dict(timeout=PATIENCE)
            page = Client(self.address, download_files=folder, verbose=False, httpx_kwargs=patient)
            while time.monotonic() < self.end:
                begun = time.monotonic()
                try:
                    self.ask(page)
                except Exception as error:  # all errors are counted
                    self.failed[f"{type(error).__name__}: {error}"[:100]] += 1
                else:
                    self.took.append(time.monotonic() - begun)

    def ask(self, page: object) -> None:
        from gradio_client import handle_file

        photo = self.choice.choice(SAMPLES)
        level = self.choice.choice(shipped_choices().levels)
        asked = (handle_file(str(photo)), level, NOTHING, 1.0, self.method, NOTHING)
        pictures, _, file, *_ = page.predict(*asked, api_name="/look")
        mesh = trimesh.load(file, force="mesh")
        if Path(file).stem != f"{photo.stem}-{self.method}" or mesh.is_empty:
            raise UserError("another's face, or none")
        if ("degraded" in [one["caption"] for one in pictures]) != (level != "clean"):
            raise UserError("another's pictures")


def tenths(seen: dict[int, float]) -> str:
    """Memory in MB by the number of answers, at most 11 values, evenly spread."""
    counts = sorted(seen)
    few = dict.fromkeys(counts[round(i * (len(counts) - 1) / 10)] for i in range(11))
    return ", ".join(f"{count}: {seen[count]:.0f} MB" for count in few)


@click.command(help=__doc__)
@click.option("--people", default=20, show_default=True)
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--method", default=next(iter(shipped_choices().methods)), show_default=True)
@user_errors
def main(people: int, seconds: float, method: str) -> None:
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        server = Server(folder)
        try:
            server.wait()
            seen = {0: server.memory()}
            end = time.monotonic() + seconds
            crowd = [Person(server.address, method, seed, end) for seed in range(people)]
            for person in crowd:
                person.start()
            while any(person.is_alive() for person in crowd):
                time.sleep(0.5)
                seen[sum(len(person.took) for person in crowd)] = server.memory()
            disk = server.disk()
        finally:
            server.close()
        left = [path.name for path in Path(folder).iterdir() if path.name.startswith("l2rkit-demo")]
    took = [one for person in crowd for one in person.took]
    failed = sum((person.failed for person in crowd), Counter())
    click.echo(f"{len(took)} answered, {failed.total()} failed, in {seconds:.0f} s and the rest")
    click.echo(f"wait: median {median(took or [0]):.1f} s, longest {max(took, default=0):.1f} s")
    click.echo(f"memory after answers: {tenths(seen)}")
    click.echo(f"files: {disk:.1f} MB at the end, left behind: {', '.join(left) or 'none'}")
    if failed or left:
        raise UserError("; ".join(f"{n} x {what}" for what, n in failed.items()) or "files stayed")


if __name__ == "__main__":
    main()
