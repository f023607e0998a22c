"""Threads and forks: fork-safe locks, and serial forked processes."""

import os
import sys
from collections.abc import Callable
from threading import RLock


def fork_safe_lock() -> "RLock":
    """A lock for a module's shared state; a fork waits until no other thread holds it.

    Otherwise a process forked while another thread holds the lock would deadlock.
    """
    lock = RLock()
    at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def work_serially() -> None:
    """Limits torch and OpenCV to one thread.

    For forked processes: a fork copies one thread only, and OpenMP would wait forever for the rest.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(0)


def at_fork(**calls: Callable) -> None:
    """`os.register_at_fork`, on systems that have it."""
    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(**calls)


at_fork(after_in_child=work_serially)
