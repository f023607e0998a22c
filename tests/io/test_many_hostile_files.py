"""Hundreds of files made to do harm: one line or an answer, little memory, little time.

They are looked at with L2RKIT_HOSTILE=all, as in `make soak`; `test_hostile_files.py` has those
that `make test` looks at.
"""

import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
from hostile_families import FAMILIES
from measuring import measured, needs_linux

from l2rkit.data.manifest import read_manifest
from l2rkit.data.openfaces import read_rows
from l2rkit.data.photo import read_photo
from l2rkit.errors import UserError
from l2rkit.io.pickles import read_foreign
from l2rkit.io.reading import read_array, read_arrays
from l2rkit.io.weights import read_weights
from l2rkit.leaderboard.results import read_entries
from l2rkit.priors.readers import read_generator

LIMIT, SECONDS = 2**30, 10  # bytes beside what the process has
READERS: dict[str, tuple[Callable, ...]] = {
    ".pth": (read_weights, read_foreign),
    ".safetensors": (read_weights,),
    ".pkl": (read_generator,),
    ".npz": (read_arrays,),
    ".npy": (read_array,),
    ".json": (read_entries,),
    ".csv": (read_manifest,),
    ".csv.gz": (read_rows,),
}
ALL = os.environ.get("L2RKIT_HOSTILE") == "all"
CASES = [made for family in FAMILIES for made in family()] if ALL else []
NAMES = [f"{ending[1:]}: {name}" for name, ending, _ in CASES]


def knock(read: Callable, path: Path, answer: object) -> None:
    """In a process of its own: what a reader says of a file; "" if it reads it."""
    try:
        read(path)
        answer.send("")
    except UserError as error:
        answer.send(str(error))
    except BaseException as error:
        answer.send(f"RAISED {type(error).__name__}: {error}"[:1000])


@needs_linux
@pytest.mark.parametrize(("name", "ending", "content"), CASES, ids=NAMES)
def test_a_file_is_read_or_refused(name: str, ending: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"file{ending}"
    path.write_bytes(content)
    for read in READERS.get(ending, (read_photo,)):
        mine, theirs = get_context("fork").Pipe()
        took, seconds = measured(knock, read, path, theirs)
        said = mine.recv() if mine.poll() else "RAISED nothing came"
        assert not said.startswith("RAISED"), (read.__name__, said)
        assert "\n" not in said and len(said) < 2000, (read.__name__, said[:300])
        assert took < LIMIT and seconds < SECONDS, (read.__name__, took, seconds, said)


@pytest.mark.skipif(not ALL, reason="L2RKIT_HOSTILE=all makes them")
def test_there_are_hundreds() -> None:
    assert len({content for _, _, content in CASES}) >= 300 and len(set(NAMES)) == len(CASES)
