"""Reads the convolutions of a network in ncnn's format: a `.param` text and a `.bin` beside it.

The text lists the layers in order with numbered values. For a convolution, 0 is the number of
output channels, 1 the kernel, 5 whether it has a bias, 6 the number of weights. The binary holds
for each, in that order, a tag of four bytes, the weights as float32 (tag 0) or float16 (padded to
four bytes), and the bias as float32.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import WeightsError

MAGIC = "7767517"
HALF = 0x01306B47
FULL = 0


def convolutions(param: str | Path) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Weight (out, in, k, k) and bias (out,) float32 of each convolution, in the file's order.

    Raises:
        WeightsError: the files are missing, not ncnn's, truncated, too long, or quantized.
    """
    param = Path(param)
    try:
        lines = param.read_text("utf-8").split("\n")
        data = param.with_suffix(".bin").read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{param}: cannot be read: {error}") from None
    if lines[0].strip() != MAGIC:
        raise WeightsError(f"{param} is no ncnn network: it does not begin with {MAGIC}")
    place = 0

    def take(count: int) -> bytes:
        nonlocal place
        if place + count > len(data):
            raise WeightsError(f"{param.with_suffix('.bin')} is cut off at {len(data)} bytes")
        place += count
        return data[place - count : place]

    for line in lines[2:]:
        words = line.split()
        if not words or words[0] != "Convolution":
            continue
        wide, kernel, bias, count = _numbers(param, words)
        tag = int.from_bytes(take(4), "little")
        if tag not in (HALF, FULL):
            raise WeightsError(f"{param.with_suffix('.bin')}: weights with tag {tag:#x}, not read")
        width = 2 if tag == HALF else 4
        values = np.frombuffer(take(count * width), "<f2" if tag == HALF else "<f4")
        take(-count * width % 4)
        weight = torch.from_numpy(values.astype(np.float32)).view(wide, -1, kernel, kernel)
        offset = np.frombuffer(take(4 * wide), "<f4").copy() if bias else None
        yield weight, None if offset is None else torch.from_numpy(offset)
    if place != len(data):
        more = len(data) - place
        raise WeightsError(
            f"{param.with_suffix('.bin')} has {more} bytes that {param} does not name"
        )


def _numbers(param: Path, words: list[str]) -> tuple[int, int, int, int]:
    """Channels, kernel, bias and number of weights of a convolution's line."""
    try:
        named = dict(word.split("=", 1) for word in words if "=" in word)
        wide, kernel, count = int(named["0"]), int(named["1"]), int(named["6"])
        bias = int(named.get("5", 0))
    except (KeyError, ValueError):
        raise WeightsError(f"{param}: a convolution lacks its numbers: {' '.join(words)}") from None
    if min(wide, kernel, count) < 1 or count % (wide * kernel * kernel):
        raise WeightsError(f"{param}: a convolution's numbers do not fit: {' '.join(words)}")
    return wide, kernel, bias, count
