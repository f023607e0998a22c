"""Frozen features at four scales, by which components are compared."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ...losses.features import IMAGENET_MEAN, IMAGENET_STD, MobileNetFeatures
from .components import cut, template, windows

STRIDES = (2, 4, 8, 16)  # px of the photo per cell, as in the paper
CHANNELS = (16, 24, 24, 24)


class PyramidFeatures(nn.Module):
    """Maps of a photo (B, 3, H, W) at `STRIDES`, with `CHANNELS`; frozen.

    The paper takes four depths of VGG19. Ours: two bottlenecks of the shipped MobileNetV2, the
    second one also of the photo at a half and at a quarter of its size.
    """

    def __init__(self) -> None:
        super().__init__()
        layers = MobileNetFeatures().layers.requires_grad_(False)
        self.shallow, self.deep = layers[:3], layers[3:7]
        for name, value in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(value)[:, None, None], persistent=False)

    def forward(self, photo: Tensor) -> list[Tensor]:
        photo = (photo - self.mean) / self.std
        first = self.shallow(photo)
        maps = [first, self.deep(first)]
        for _ in STRIDES[2:]:
            photo = avg_pool2d(photo, 2)
            maps.append(self.deep(self.shallow(photo)))
        return maps


def component_features(features: PyramidFeatures, photo: Tensor) -> dict[str, Tensor]:
    """`<component>_<stride>` → (B, C, n, n), of aligned photos (B, 3, size, size)."""
    size = photo.shape[-1]
    found = {}
    for stride, seen in zip(STRIDES, features(photo)):
        for component, window in windows(template(size), size, stride).items():
            found[f"{component}_{stride}"] = cut(seen, window)
    return found
