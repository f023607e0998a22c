"""torch and OpenCV: equal for one draw, and similar over many."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import batch, both, picture, psnr

from l2rkit.degrade import (
    LEVELS,
    RECIPES,
    ColourJitter,
    ColourShift,
    DegradationLevel,
    DegradationRecipe,
    DownUpsample,
    Faded,
    GaussianBlur,
    GaussianNoise,
    GeneralisedGaussianBlur,
    Greyscale,
    Jpeg,
    MotionBlur,
    PlateauBlur,
    PoissonNoise,
    RandomChoice,
    RandomOrder,
    Resized,
    SincBlur,
)
from l2rkit.degrade.degradation import rng_of

EXACT = [  # all but JPEG: only float32 rounds
    GaussianBlur((0, 4)),
    GaussianBlur((0.1, 10), anisotropic=True, side=41, for_height=512),
    GeneralisedGaussianBlur((0.2, 3), (0.5, 4), anisotropic=True),
    PlateauBlur((0.2, 3), (1, 2)),
    MotionBlur((0, 20)),
    SincBlur((0.2, 1)),
    *[
        DownUpsample((1, 8), down=method, up="bicubic")
        for method in ("area", "bilinear", "lanczos")
    ],
    Resized((0.2, 1.5), inside=[GaussianNoise(5)], down=("area", "bicubic"), up="lanczos"),
    GaussianNoise((0, 30), grey=0.5),
    PoissonNoise((0, 3), grey=0.5),
    ColourShift(20),
    ColourJitter((0.5, 1.5), (0.5, 1.5), (0, 1.5)),
    Greyscale(),
    Faded(),
    RandomOrder([GaussianBlur(), GaussianNoise(), Greyscale()]),
    RandomChoice([MotionBlur(), PoissonNoise()]),
    DegradationLevel("x4"),
]


@pytest.mark.parametrize("part", EXACT, ids=lambda part: type(part).__name__)
@given(seed=st.integers(0, 2**62), height=st.integers(9, 40), width=st.integers(9, 40))
@settings(max_examples=25, deadline=None)
def test_one_draw_gives_the_same_by_torch_and_opencv(part, seed, height, width):
    by_opencv, by_torch = both(part, picture(height, width), seed)
    np.testing.assert_allclose(by_opencv, by_torch, atol=2e-5)


@pytest.mark.parametrize("name", ["mild", "severe"])
def test_a_level_with_jpeg_differs_by_a_few_steps_of_its_tables(name):
    """Over 100 draws, PSNR: half of them above 48 dB, the worst above 30; see test_jpeg."""
    found = [psnr(*both(DegradationLevel(name), picture(), seed)) for seed in range(100)]
    assert np.median(found) > 48 and min(found) > 30


@pytest.mark.parametrize("name", ["gfpgan", "l2r", "realesrgan"])
def test_a_recipe_is_as_bad_by_torch_as_by_opencv(name):
    """Over 200 draws each, from other seeds: mean PSNR within 1 dB, its spread within a quarter.

    The spread over draws is 1 to 4 dB, so the difference of two means is good to 0.4 dB.
    """
    part, image = DegradationRecipe(name), picture(48, 72)[:, :48].copy()  # without its stripes
    photo = batch(image).expand(200, 3, 48, 48)
    by_torch = part(photo, torch.Generator().manual_seed(1)).movedim(1, 3).numpy()
    by_opencv = [part.on_image(image, rng_of(10_000 + seed)) for seed in range(200)]
    one, other = (np.array([psnr(image, bad) for bad in many]) for many in (by_torch, by_opencv))
    assert abs(one.mean() - other.mean()) < 1
    assert 0.75 < one.std() / other.std() < 1.33


@pytest.mark.parametrize(
    "part", [*map(DegradationRecipe, RECIPES), *map(DegradationLevel, LEVELS)], ids=lambda p: p.name
)
def test_a_photo_is_degraded_alike_alone_and_in_a_batch(part):
    images = [picture(40, 32), picture(40, 32)[::-1].copy(), picture(40, 32)[:, ::-1].copy()] * 3
    drawn = [part.draw(rng_of(seed), 40, 32) for seed in range(9)]
    together = part.degrade(batch(*images), drawn)
    alone = torch.cat([part.degrade(batch(i), [d]) for i, d in zip(images, drawn)])
    # a half may round the other way before JPEG's tables, nothing else
    assert psnr(together.numpy(), alone.numpy()) > 45


@pytest.mark.parametrize(
    "part",
    [
        GaussianBlur(1.5),
        MotionBlur(3),
        DownUpsample(2.5, inside=[GaussianNoise(5)], down="bicubic"),
        PoissonNoise(1),
        ColourJitter(),
        Faded(),
    ],
    ids=lambda part: type(part).__name__,
)
def test_gradients_are_right(part):
    photo = torch.rand(1, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    photo = (0.4 + 0.2 * photo).requires_grad_()  # away from black and white, where it is clamped
    drawn = [part.draw(rng_of(0), 6, 6)]
    assert torch.autograd.gradcheck(lambda p: part.degrade(p, drawn), photo, atol=1e-6)


def test_gradients_pass_jpeg_as_if_it_did_not_round():
    photo = batch(picture(16, 16)).requires_grad_()
    Jpeg(50).degrade(photo, [dict(quality=50)])[0, :, 4:12, 4:12].sum().backward()
    assert photo.grad.isfinite().all() and photo.grad[..., 4:12, 4:12].abs().mean() > 0.5


def test_photos_of_other_kinds_are_refused():
    part, generator = GaussianBlur(), torch.Generator()
    with pytest.raises(
        ValueError, match=r"expects a photo \(B, 3, H, W\) of floats, not \(3, 8, 8\)"
    ):
        part(torch.rand(3, 8, 8), generator)
    with pytest.raises(ValueError, match=r"image \(H, W, 3\) float32, not \(8, 8, 3\) uint8"):
        part.on_image(np.zeros((8, 8, 3), np.uint8), rng_of(0))
    assert part(torch.rand(0, 3, 8, 8), generator).shape == (0, 3, 8, 8)
