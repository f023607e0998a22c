"""What identity networks share: how a part is built, what crops and codes are like."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import interpolate, normalize

from ..errors import PartError

Identity = Callable[[Tensor], Tensor]  # photos (B, 3, H, W) in [0, 1] → codes (B, D)


def resized_crops(photo: Tensor, size: int, name: str) -> Tensor:
    """(B, 3, size, size): square crops, bilinear, antialiased where they shrink.

    Raises:
        PartError: they are no square colour photos; `name` says which part wanted them.
    """
    if photo.ndim != 4 or photo.shape[1] != 3 or photo.shape[2] != photo.shape[3]:
        raise PartError(f"{name} wants crops (B, 3, S, S), got {tuple(photo.shape)}")
    if photo.shape[-1] == size:
        return photo
    return interpolate(photo, size=(size, size), mode="bilinear", antialias=True)


def centred(raw: Tensor, mean_code: Tensor) -> Tensor:
    """(B, D) of unit length: where the directions of `raw` (B, D) lie from the mean person's.

    Raw codes lie in a narrow cone around `mean_code` (D,), so that strangers look alike.
    """
    return normalize(normalize(raw, dim=1) - mean_code, dim=1)
