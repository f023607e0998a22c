"""Threads get the bits of one thread, and forked processes work."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from fresh import python

from l2rkit import reconstruct
from l2rkit.ops.threads import fork_safe_lock
from l2rkit.zoo import FOLDER

QUICK = str(Path(__file__).parents[2] / "configs/unsup3d/unsup3d_heads_32.py")
PHOTOS = [FOLDER / "samples" / f"portrait_{number}.jpg" for number in (1, 2)]
THREADS = int(os.environ.get("L2RKIT_THREADS", "4"))
CALLS = int(os.environ.get("L2RKIT_CALLS", "3"))  # of each thread


def depth(number: int) -> bytes:
    """All numbers of a face, the photo chosen by a number."""
    arrays = reconstruct(PHOTOS[number % len(PHOTOS)], QUICK).arrays()
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())


def test_threads_get_what_one_gets() -> None:
    alone = [depth(number) for number in range(len(PHOTOS))]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(depth, range(THREADS * CALLS)))
    assert all(face == alone[number % len(PHOTOS)] for number, face in enumerate(found))


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
