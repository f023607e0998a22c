"""Kernels compiled by Numba, kept on the disk where there is a place for them."""

from collections.abc import Callable
from typing import Any

import numba

KEPT: dict[str, bool] = {}  # by the kernel's name, whether what was compiled is kept


def compiled(**options: Any) -> Callable[[Callable], Callable]:
    """`numba.njit`, kept beside the source, in the user's cache or in `NUMBA_CACHE_DIR`.

    Where none of them can be written to, as in a read-only container, each process compiles anew.
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
