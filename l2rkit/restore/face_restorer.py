"""A small restorer trained on faces only, in the place of GFPGAN. Ours."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ..errors import PartError
from ..ops.resize import resized
from ..ops.unet import UNet
from ..registry import RESTORERS
from .shipped import load_shipped

WIDTHS = (48, 96, 160, 224)


@RESTORERS.register_module()
class FaceRestorer(nn.Module):
    """The aligned face (B, 3, H, W) restored, (B, 3, image_size, image_size), in [0, 1].

    A U-Net that predicts a correction of the photo; its coarsest pixels see the whole face.

    Args:
        weights: name of a shipped file or a path; None starts at random, to be trained.
        image_size: px that photos are resized to, divisible by 2 for each of the widths; 128 for
            the shipped weights.
        widths: channels at a half, a quarter ... of that size.
        frozen: whether weights from a file stay as they are.
    """

    aligned = True  # the input must be an aligned face

    def __init__(
        self,
        weights: str | None = "face_restorer",
        image_size: int = 128,
        widths: tuple[int, ...] = WIDTHS,
        frozen: bool = True,
    ) -> None:
        super().__init__()
        least = 2 ** len(widths)
        if type(image_size) is not int or image_size < least or image_size % least:
            raise PartError(
                f"FaceRestorer: with {len(widths)} widths image_size is a multiple of {least}, "
                f"not {image_size!r}"
            )
        self.image_size = image_size
        self.network = UNet(widths)
        if weights is not None:
            load_shipped(self, weights, frozen)

    def forward(self, photo: Tensor) -> Tensor:
        photo = resized(photo, (self.image_size, self.image_size), "bicubic").clamp(0, 1)
        return (photo + self.network(photo).float()).clamp(0, 1)

    def change_features(self, photo: Tensor, restored: Tensor) -> Tensor:
        """(B, 1 + F): mean absolute change of the photo, and the coarsest features.

        photo, restored (B, 3, image_size, image_size).
        """
        change = (restored - photo).abs().mean((1, 2, 3))[:, None]
        features = avg_pool2d(self.network.encode(photo)[-1].float(), 2).flatten(1)
        return torch.cat([change, features], 1)
