"""The perceptual loss against its formula, and its two feature extractors."""

import math
from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene, random_capture
from torch import nn

from l2rkit.errors import PartError, WeightsError
from l2rkit.losses import MobileNetFeatures, Perceptual, VGG16Features
from l2rkit.losses.features import IMAGENET_MEAN, IMAGENET_STD
from l2rkit.registry import MODELS

EPS = 1e-7


class Quarter(nn.Module):
    """Two features at a quarter of the size, simple enough for a loop."""

    def forward(self, image):
        small = nn.functional.avg_pool2d(image, 4)
        return torch.stack([small.sum(1), small[:, 0] * 2], 1)


def slowly(features, target, sigma, mask):
    """(f1 - f2)^2 / (2 sigma^2 + eps) + log(sigma + eps), the mask averaged over 4 by 4 pixels."""
    total, weight = 0.0, 0.0
    batch, channels, height, width = target.shape
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                share = mask[b, 0, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].mean().item()
                s = sigma[b, y, x].item()
                for c in range(channels):
                    error = (features[b, c, y, x] - target[b, c, y, x]).item() ** 2
                    total += share * (error / (2 * s**2 + EPS) + math.log(s + EPS))
                    weight += share
    return total / weight


def test_formula():
    scene, extract = random_capture(size=16), Quarter()
    target = extract(scene.target)
    sigma = scene.face.confidence.feature
    own = slowly(extract(scene.rendering.image), target, sigma[:, 0], scene.mask)
    mirrored = slowly(extract(scene.mirrored.image), target, sigma[:, 1], scene.mask)
    got = Perceptual(extract, weight=3.0)(scene).item()
    assert got == pytest.approx(3 * (own + 0.5 * mirrored), rel=1e-4)
    fixed = torch.full_like(sigma[:, 0], 0.2)
    own = slowly(extract(scene.rendering.image), target, fixed, scene.mask)
    got = Perceptual(extract, mirror=0, scale=0.2)(scene).item()
    assert got == pytest.approx(own, rel=1e-4)


def test_zero_on_a_perfect_scene_and_more_elsewhere():
    loss, scene = Perceptual(MobileNetFeatures()), perfect_scene()
    assert loss(scene).item() == pytest.approx(0, abs=1e-5)
    blank = replace(
        scene, rendering=replace(scene.rendering, image=torch.full_like(scene.target, 0.5))
    )
    assert loss(blank) > 0.01


def test_cells_outside_the_mask_do_not_count():
    scene = random_capture(size=16)
    mask = torch.ones(2, 1, 16, 16)
    mask[..., :8] = 0
    scene = replace(scene, rendering=replace(scene.rendering, mask=mask))
    image = scene.rendering.image.clone()
    image[..., :8] = 7
    other = replace(scene, rendering=replace(scene.rendering, image=image))
    loss = Perceptual(Quarter())
    torch.testing.assert_close(loss(other), loss(scene))


def test_the_extractor_is_frozen_asleep_and_passes_gradients():
    loss = Perceptual(dict(type="MobileNetFeatures")).train()
    assert not loss.features.training
    assert not any(weight.requires_grad for weight in loss.parameters())
    scene = perfect_scene()
    image = (scene.target * 0.5).requires_grad_()
    loss(replace(scene, rendering=replace(scene.rendering, image=image))).backward()
    assert image.grad.isfinite().all() and image.grad.abs().sum() > 0


def test_mobilenet_features():
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, two = MobileNetFeatures()(image), MobileNetFeatures()(image)
        flat = MobileNetFeatures()(torch.full((1, 3, 64, 64), 0.5))
    assert one.shape == (2, 144, 16, 16) and torch.equal(one, two)
    assert one.min() >= 0 and one.max() <= 6 and one.std() > 0.1  # trained, behind ReLU6
    middle = flat[..., 6:10, 6:10]  # away from the padding, a flat picture has flat features
    torch.testing.assert_close(middle, middle[..., :1, :1].expand_as(middle), atol=1e-4, rtol=0)


VGG = [
    *("conv 3 64", "relu", "conv 64 64", "relu", "pool"),
    *("conv 64 128", "relu", "conv 128 128", "relu", "pool"),
    *("conv 128 256", "relu", "conv 256 256", "relu", "conv 256 256", "relu"),
]


def vgg_layer(text):
    kind, *channels = text.split()
    if kind == "conv":
        return nn.Conv2d(*map(int, channels), 3, padding=1)
    return nn.ReLU() if kind == "relu" else nn.MaxPool2d(2, 2)


def test_vgg16_is_torchvision_s_up_to_relu3_3(tmp_path):
    torch.manual_seed(0)
    layers = nn.Sequential(*map(vgg_layer, VGG))
    state = {f"features.{key}": value for key, value in layers.state_dict().items()}
    rest = {"features.17.weight": torch.zeros(1), "classifier.0.bias": torch.zeros(1)}
    torch.save({**state, **rest}, tmp_path / "vgg16.pth")
    image = torch.rand(1, 3, 32, 32)
    mean, std = (torch.tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        got = VGG16Features(str(tmp_path / "vgg16.pth"))(image)
        torch.testing.assert_close(got, layers((image - mean) / std))
    assert got.shape == (1, 256, 8, 8)


def test_vgg16_needs_its_weight_file(tmp_path):
    with pytest.raises(PartError, match="VGG16Features needs 'weights'"):
        MODELS.build(dict(type="VGG16Features"))
    with pytest.raises(WeightsError, match="no weights at"):
        VGG16Features(str(tmp_path / "vgg16.pth"))
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match=r"resnet\.pth is of another architecture: it lacks"):
        VGG16Features(str(tmp_path / "resnet.pth"))
