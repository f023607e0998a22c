"""Threads and forks: locks that outlast a fork, and a forked process that works serially."""

import os
import sys
from collections.abc import Callable
from threading import RLock


def fork_safe_lock() -> "RLock":
    """A lock for a module's shared state; a fork waits until no other thread holds it.

    Without that, a process that is forked while another thread holds it would wait for ever.
    """
    lock = RLock()
    at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def work_serially() -> None:
    """From now on, torch and OpenCV use one thread, in a process that has none of its parent's.

    A fork copies one thread only. OpenMP, on which torch builds, waits for the others for ever.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(0)


def at_fork(**calls: Callable) -> None:
    """`os.register_at_fork`, where the system has forks."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(**calls)


at_fork(after_in_child=work_serially)
