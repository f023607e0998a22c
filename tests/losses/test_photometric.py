"""The photometric loss against its formula, pixel by pixel."""

import math
from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene, random_capture

from l2rkit.losses import Photometric
from l2rkit.losses.photometric import laplacian, masked_mean
from l2rkit.structures import Rendering

EPS = 1e-7


def slowly(image, photo, sigma, mask):
    """sqrt(2) |Ihat - I| / (sigma + eps) + log(sigma + eps), over the mask on three channels."""
    total, count = 0.0, 0
    batch, channels, height, width = photo.shape
    for b in range(batch):
        for c in range(channels):
            for y in range(height):
                for x in range(width):
                    if mask[b, 0, y, x]:
                        s = sigma[b, y, x].item() + EPS
                        error = abs(image[b, c, y, x].item() - photo[b, c, y, x].item())
                        total += math.sqrt(2) * error / s + math.log(s)
                        count += 1
    return total / count


def test_formula():
    scene = random_capture()
    sigma = scene.face.confidence.pixel
    own = slowly(scene.rendering.image, scene.target, sigma[:, 0], scene.mask)
    mirrored = slowly(scene.mirrored.image, scene.target, sigma[:, 1], scene.mask)
    assert Photometric()(scene).item() == pytest.approx(own + 0.5 * mirrored, rel=1e-5)
    assert Photometric(2.0, mirror=0)(scene).item() == pytest.approx(2 * own, rel=1e-5)


def test_a_fixed_scale_takes_the_place_of_confidence():
    scene = random_capture()
    sigma = torch.full((2, 8, 8), 0.15)
    own = slowly(scene.rendering.image, scene.target, sigma, scene.mask)
    mirrored = slowly(scene.mirrored.image, scene.target, sigma, scene.mask)
    got = Photometric(mirror=1.0, scale=0.15)
    assert got(scene).item() == pytest.approx(own + mirrored, rel=1e-5)
    got.scale = 1.0
    assert got(scene) == Photometric(mirror=1.0)(random_capture(confident=False))


def test_zero_on_a_perfect_scene_and_nowhere_less():
    scene = perfect_scene()
    assert Photometric()(scene).item() == pytest.approx(0, abs=1e-6)
    other = replace(
        scene, rendering=Rendering(scene.target * 0.9, scene.rendering.mask, scene.rendering.depth)
    )
    assert Photometric()(other) > 0.01


def test_the_best_scale_is_sqrt_2_times_the_error():
    image, mask = torch.zeros(1, 3, 4, 4), torch.ones(1, 1, 4, 4)
    values = [laplacian(image, image + 0.1, 0.1 * 2**0.5 * f, mask) for f in (0.9, 1.0, 1.1)]
    assert values[1] < values[0] and values[1] < values[2]


def test_what_the_mask_hides_does_not_count():
    scene = random_capture()
    noise = (1 - scene.mask) * torch.randn_like(scene.target)
    hidden = replace(scene, rendering=replace(scene.rendering, image=scene.rendering.image + noise))
    torch.testing.assert_close(Photometric()(hidden), Photometric()(scene))
    assert masked_mean(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)) == 0
