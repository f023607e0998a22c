"""Where a prediction and the truth can be compared."""

from torch import Tensor

from ..face import BACKGROUND
from .depth import inner, truth_mask


def common_mask(depth: Tensor, truth: Tensor) -> Tensor:
    """(B, 1, H, W): where both depths have a surface, each less its outermost pixels."""
    return inner((depth < BACKGROUND).to(depth.dtype)) * inner(truth_mask(truth))
