"""Enlargement by interpolation: the baseline of restorers."""

from torch import Tensor, nn

from ..errors import PartError, near
from ..ops.resize import METHODS, resized
from ..registry import RESTORERS

MOST = 16  # times; a photo of one megapixel then has 256


@RESTORERS.register_module()
class Resample(nn.Module):
    """The photo (B, 3, H, W) enlarged to (B, 3, scale H, scale W), clamped to [0, 1].

    Args:
        method: "bicubic" or "lanczos", or another of `l2rkit.ops.resize.METHODS`.
        scale: the enlargement, a whole number.
    """

    def __init__(self, method: str = "bicubic", scale: int = 4) -> None:
        super().__init__()
        if not isinstance(method, str) or method not in METHODS:
            raise PartError(f"Resample knows no method '{method}'{near(str(method), METHODS)}")
        if type(scale) is not int or not 1 <= scale <= MOST:
            raise PartError(f"Resample enlarges by a whole number from 1 to {MOST}, not by {scale}")
        self.method, self.scale = method, scale

    def forward(self, photo: Tensor) -> Tensor:
        height, width = photo.shape[2:]
        size = height * self.scale, width * self.scale
        return resized(photo, size, self.method).clamp(0, 1)
