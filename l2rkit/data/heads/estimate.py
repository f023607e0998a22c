"""What making heads will take, said before it begins."""

import sys
from pathlib import Path

SECONDS = 0.022  # for a head of 64 px on one core of a server of 2023
BYTES = 11  # a pixel: two pictures of 8 bits, depth of 16, normals of 3 x 8
LONG = 60  # seconds; what takes less needs no word


def announce(heads: int, size: int, workers: int, root: Path) -> None:
    """One line on standard error with time and disk, if it will take longer than a minute."""
    seconds = heads * SECONDS * max(1.0, (size / 64) ** 2) / max(1, workers)
    if seconds > LONG:
        gigabytes = heads * BYTES * size**2 / 1e9
        print(
            f"making {heads:,} heads of {size} px, once, in {root}: about {seconds / 60:.0f} min "
            f"and {gigabytes:.1f} GB; it may be ended and goes on where it was",
            file=sys.stderr,
            flush=True,
        )
