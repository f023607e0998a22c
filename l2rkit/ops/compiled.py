"""Numba kernels, cached on disk where possible."""

from collections.abc import Callable
from typing import Any

import numba

KEPT: dict[str, bool] = {}  # by the kernel's name: whether its compiled code is cached


def compiled(**options: Any) -> Callable[[Callable], Callable]:
    """`numba.njit`, cached beside the source, in the user's cache or in `NUMBA_CACHE_DIR`.

    Where none of them is writable, as in a read-only container, each process compiles again.
    """

    def decorate(kernel: Callable) -> Callable:
        try:
            made = numba.njit(cache=True, **options)(kernel)
        except (RuntimeError, OSError):
            made = numba.njit(**options)(kernel)
            KEPT[kernel.__name__] = False
        else:
            KEPT[kernel.__name__] = True
        return made

    return decorate
