"""Frozen feature extractors for the perceptual loss, both at a quarter of the picture's size."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ..io.weights import load_into, read_weights
from ..registry import MODELS
from ..zoo import zoo_file

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class _ImageNetFeatures(nn.Module):
    """Layers after ImageNet's normalisation of colours."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers
        for name, value in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(value)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.layers((image - self.mean) / self.std)


@MODELS.register_module()
class MobileNetFeatures(_ImageNetFeatures):
    """MobileNetV2's 144 channels after the expansion of its fifth block: the shipped default.

    Sandler et al., CVPR 2018, trained on ImageNet by torchvision (BSD-3-Clause). Batch norms are
    folded into the convolutions; `tools/model_converters/mobilenet.py` makes the file.
    """

    def __init__(self) -> None:
        super().__init__(mobilenet_layers())
        self.layers.load_state_dict(read_weights(zoo_file("mobilenet_v2_features.safetensors")))


@MODELS.register_module()
class VGG16Features(_ImageNetFeatures):
    """VGG16's relu3_3, 256 channels: the extractor of the paper.

    Args:
        weights: torchvision's `vgg16` weight file, which the user provides.
    """

    def __init__(self, weights: str) -> None:
        super().__init__(vgg16_layers())
        state = read_weights(Path(weights))
        present = [key for key in self.layers.state_dict() if f"features.{key}" in state]
        load_into(self.layers, {key: state[f"features.{key}"] for key in present}, weights)


def mobilenet_layers() -> nn.Sequential:
    """MobileNetV2 up to the expansion of `features[4]`, batch norms folded."""
    return nn.Sequential(
        _conv(3, 32, 3, stride=2),
        _conv(32, 32, 3, groups=32),
        nn.Conv2d(32, 16, 1),
        _conv(16, 96, 1),
        _conv(96, 96, 3, stride=2, groups=96),
        nn.Conv2d(96, 24, 1),
        _Residual(_conv(24, 144, 1), _conv(144, 144, 3, groups=144), nn.Conv2d(144, 24, 1)),
        _conv(24, 144, 1),
    )


def vgg16_layers() -> nn.Sequential:
    """torchvision's `vgg16().features[:16]`."""
    layers: list[nn.Module] = []
    channels = 3
    for width, repeats in ((64, 2), (128, 2), (256, 3)):
        layers += [nn.MaxPool2d(2)] if layers else []
        for _ in range(repeats):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
    return nn.Sequential(*layers)


class _Residual(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def _conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups)
    return nn.Sequential(conv, nn.ReLU6(inplace=True))
