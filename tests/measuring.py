"""Measures the memory and time of code in a separate process without limits."""

import ctypes
import gc
import os
import signal
import time
from collections.abc import Callable
from threading import Thread

import pytest

TOO_LONG = 120  # s, after which the process is ended
needs_linux = pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="measures memory as Linux does"
)


def measured(work: Callable, *arguments: object) -> tuple[int, float]:
    """Bytes of memory that a fork took at most, beside those of one that does nothing; seconds.

    These are of the processor, which others may be using; of what had to be ended, all that passed.
    """
    gc.freeze()  # collections in a fork would else touch, and so copy, all objects of this process
    idle, _ = _peak(gc.collect)
    peak, seconds = _peak(work, *arguments)
    return peak - idle, seconds


def apart(work: Callable, *arguments: object) -> None:
    """Does the work in a fork, whose memory goes with it."""
    _peak(work, *arguments)


def _peak(work: Callable, *arguments: object) -> tuple[int, float]:
    ctypes.CDLL(None).malloc_trim(0)  # else work takes what the process had and gave back
    begun, child = time.monotonic(), os.fork()
    if not child:
        try:
            # Threads have heaps of their own; that of this one is full of holes after many tests,
            # and work that is spread over them seems to take more.
            thread = Thread(target=work, args=arguments)
            thread.start()
            thread.join()
        finally:
            os._exit(0)
    while not (ended := os.wait4(child, os.WNOHANG))[0]:
        time.sleep(0.01)
        if time.monotonic() - begun > TOO_LONG:
            os.kill(child, signal.SIGKILL)
    _, status, used = ended
    seconds = used.ru_utime + used.ru_stime if not status else time.monotonic() - begun
    return used.ru_maxrss * 1024, seconds
