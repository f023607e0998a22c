"""Threads get the bits of one thread, and forked processes work."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from fresh import python

from l2rkit import reconstruct
from l2rkit.data.photo import read_photo
from l2rkit.ops.threads import fork_safe_lock
from l2rkit.zoo import FOLDER

QUICK = str(Path(__file__).parents[2] / "configs/unsup3d/unsup3d_heads_32.py")
PHOTOS = [FOLDER / "samples" / f"portrait_{number}.jpg" for number in (1, 2)]
THREADS = int(os.environ.get("L2RKIT_THREADS", "4"))
CALLS = int(os.environ.get("L2RKIT_CALLS", "3"))  # of each thread


def numbers_of(photo: Path | np.ndarray) -> bytes:
    """All numbers of a face: its arrays, and those that its flags of quality are made of."""
    face = reconstruct(photo, QUICK)
    arrays = [*face.arrays().values(), np.array(astuple(face.quality))]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def test_threads_get_what_one_gets() -> None:
    half = read_photo(PHOTOS[0])[:, :240]
    assert "cut" in reconstruct(half, QUICK).flags
    photos = [*PHOTOS, half]
    alone = [numbers_of(photo) for photo in photos]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(numbers_of, photos * -(-THREADS * CALLS // len(photos))))
    assert len(found) >= THREADS * CALLS
    assert all(face == alone[number % len(photos)] for number, face in enumerate(found))


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
FORKS = f"""
import multiprocessing, numpy, torch
torch.set_num_threads(2)
from l2rkit import reconstruct
def depth(photo):
    return reconstruct(photo, {QUICK!r}).arrays()["depth"]
photos = {[str(photo) for photo in PHOTOS]!r}
alone = [depth(photo) for photo in photos]
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map(depth, photos)
numpy.testing.assert_allclose(found, alone, atol=1e-5)  # sums of one thread are rounded otherwise
"""


@needs_fork
def test_forks_of_a_process_that_has_reconstructed_answer() -> None:
    """With several threads, whose pools a fork has not."""
    done = python("-c", FORKS)
    assert done.returncode == 0, done.stderr


@needs_fork
def test_a_fork_does_not_inherit_a_lock_that_another_thread_holds() -> None:
    lock, held = fork_safe_lock(), Event()

    def hold() -> None:
        with lock:
            held.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as other:
        other.submit(hold)
        held.wait()
        child = get_context("fork").Process(target=lock.acquire)
        child.start()
        child.join(30)
    assert child.exitcode == 0
