"""The common part of identity networks: input crops and centred codes."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import interpolate, normalize

from ..errors import PartError

Identity = Callable[[Tensor], Tensor]  # photos (B, 3, H, W) in [0, 1] → codes (B, D)


def resized_crops(photo: Tensor, size: int, name: str) -> Tensor:
    """(B, 3, size, size): square crops (B, 3, S, S) resized, bilinear and antialiased.

    Raises:
        PartError: the crops are not square colour photos; `name` is the part in the message.
    """
    if photo.ndim != 4 or photo.shape[1] != 3 or photo.shape[2] != photo.shape[3]:
        raise PartError(f"{name} expects crops (B, 3, S, S), got {tuple(photo.shape)}")
    if photo.shape[-1] == size:
        return photo
    return interpolate(photo, size=(size, size), mode="bilinear", antialias=True)


def centred(raw: Tensor, mean_code: Tensor) -> Tensor:
    """(B, D) of unit length: the directions of `raw` (B, D) minus `mean_code` (D,).

    Raw codes lie in a narrow cone around the mean code, so cosines of impostors are high.
    """
    return normalize(normalize(raw, dim=1) - mean_code, dim=1)
