"""Whether and where Triton's kernels can be tested without a GPU, see `make triton`."""

import os
from importlib.util import find_spec

import pytest


def triton_interprets() -> bool:
    """Whether Triton is installed and set to interpret its kernels on the CPU."""
    return find_spec("triton") is not None and os.environ.get("TRITON_INTERPRET") == "1"


interpreted = pytest.mark.skipif(
    not triton_interprets(), reason="Triton's interpreter is not here: make triton"
)
