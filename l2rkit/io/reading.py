"""Reads JSON and NumPy files; a damaged file raises a one-line `DataError`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .files import unpacked_size

MOST_BYTES = 500_000_000  # uncompressed size of the arrays in a file; zeros compress a thousandfold


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises DataError for anything else."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({type(error).__name__})") from None


def read_array(path: str | Path) -> np.ndarray:
    """The array of an .npy file. Raises DataError for anything else."""
    content = _loaded(path)
    if isinstance(content, dict):
        raise DataError(f"{path} holds {len(content)} arrays instead of one")
    return content


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file, by name. Raises DataError for anything else."""
    content = _loaded(path)
    if not isinstance(content, dict) or any(not hasattr(a, "dtype") for a in content.values()):
        raise DataError(f"{path} is no archive of arrays")
    return content


def _loaded(path: str | Path) -> np.ndarray | dict[str, Any]:
    if (size := unpacked_size(Path(path))) > MOST_BYTES:
        raise DataError(f"{path} unpacks to {size} bytes; the limit is {MOST_BYTES}")
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content
        with content:
            return dict(content)
    except Exception as error:  # NumPy, zipfile, zlib and the header's parser raise many types
        raise DataError(f"{path} cannot be read as arrays ({type(error).__name__})") from None
