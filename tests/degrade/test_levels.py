"""The named degradations: what they are may not change, for results are compared by them.

Pinned exactly are the draws: they depend on NumPy alone (PCG64 and its uniform and normal
numbers, unchanged since 1.17). The pictures are pinned to 50 dB, or 40 where JPEG is in them: how
OpenCV rounds, and what libjpeg does with a value between two steps, may change with their
versions. A change of the level itself is 30 dB and less. `levels.png` holds, from left to right,
the picture and its three levels; it was made by `python tests/degrade/test_levels.py`.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pictures import batch, picture, psnr

from l2rkit.degrade import (
    LEVELS,
    RECIPES,
    Compose,
    DegradationLevel,
    DegradationRecipe,
    DownUpsample,
    GaussianBlur,
    GaussianNoise,
    Jpeg,
)
from l2rkit.degrade.degradation import rng_of
from l2rkit.registry import DEGRADATIONS

PINNED = Path(__file__).with_name("levels.png")
SEED = 7
FIELD = [1.3030691146850586, -0.0046472144313156605, 1.1754820346832275]
DRAWN = {
    "codeformer": (200, 3330.121877),
    "dfdnet": (178, 1728.722637),
    "gfpgan": (253, 3037.247323),
    "realesrgan": (588, 6478.119486),
}


def sheet():
    """(64, 256, 3) uint8: the picture and its levels x4, mild, severe."""
    shown = [
        DegradationLevel(name).on_image(picture(), rng_of(SEED))
        for name in ("clean", "x4", "mild", "severe")
    ]
    return np.rint(np.concatenate(shown, 1) * 255).astype(np.uint8)


def test_levels_look_as_they_did():
    pinned = cv2.imread(str(PINNED))[..., ::-1]
    for name, least, then, now in zip(
        ("clean", "x4", "mild", "severe"),
        (100, 50, 40, 40),
        np.split(pinned, 4, 1),
        np.split(sheet(), 4, 1),
    ):
        assert psnr(then / 255, now / 255) >= least, name


def test_a_change_of_a_level_would_be_seen():
    pinned = np.split(cv2.imread(str(PINNED))[..., ::-1], 4, 1)[3] / 255
    blur, noise, code = GaussianBlur(6, for_height=512), GaussianNoise(10, grey=1), Jpeg(40)
    changed = [
        Compose([GaussianBlur(8, for_height=512), DownUpsample(3, [noise, code])]),
        Compose([blur, DownUpsample(3.2, [noise, code])]),
        Compose([blur, DownUpsample(3, [GaussianNoise(12, grey=1), code])]),
        Compose([blur, DownUpsample(3, [noise, Jpeg(45)])]),
    ]
    for part in changed:
        assert psnr(pinned, part.on_image(picture(), rng_of(SEED))) < 38


def test_draws_are_what_they_were():
    mild = DegradationLevel("mild").draw(rng_of(SEED), 64, 64)
    assert mild[0]["sigma"] == (0.5, 0.5) and mild[0]["radius"] == 2
    small = mild[1]
    assert (small["size"], small["down"], small["up"]) == ((32, 32), "area", "bicubic")
    assert small["inside"][1] == dict(quality=75)
    severe = DegradationLevel("severe").draw(rng_of(SEED), 64, 64)
    assert severe[0]["sigma"] == (0.75, 0.75) and severe[1]["size"] == (21, 21)
    noise, code = severe[1]["inside"]
    assert noise["amount"] == 10 and code == dict(quality=40)
    np.testing.assert_allclose(noise["field"][0, :3, 0], FIELD, rtol=1e-6)
    assert DegradationLevel("x4").draw(rng_of(SEED), 64, 64)[0]["size"] == (16, 16)


def numbers(drawn):
    """All numbers of a draw, in order; of an array its sum."""
    if isinstance(drawn, dict):
        drawn = list(drawn.values())
    if isinstance(drawn, list | tuple):
        return [n for inner in drawn for n in numbers(inner)]
    if isinstance(drawn, np.ndarray):
        return [float(drawn.sum(dtype=np.float64))]
    return [drawn] if isinstance(drawn, int | float) else []


@pytest.mark.parametrize("name", DRAWN)
def test_published_recipes_draw_what_they_did(name):
    """How many numbers 20 draws for 64 px hold, and their sum."""
    drawn = numbers([DegradationRecipe(name).draw(rng_of(seed), 64, 64) for seed in range(20)])
    count, total = DRAWN[name]
    assert len(drawn) == count and sum(drawn) == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("make", [DegradationLevel, DegradationRecipe])
def test_another_name_is_refused(make):
    near, wrong = ("severe", "sever") if make is DegradationLevel else ("codeformer", "codefromer")
    with pytest.raises(ValueError, match=f"'{wrong}': did you mean '{near}'"):
        make(wrong)
    with pytest.raises(ValueError, match=r"no \w+ is called 'None'"):
        DEGRADATIONS.build(dict(type=make, name=None))


def test_levels_get_worse():
    image = picture()
    found = [
        psnr(image, DegradationLevel(n).on_image(image, rng_of(0)))
        for n in ("clean", "mild", "severe")
    ]
    assert found == sorted(found, reverse=True) and found[0] == 100


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_worse_than_nothing_and_leave_something(name):
    image = picture(96, 144)[:, :96]  # without its stripes, which none leaves
    photo = batch(image).expand(60, 3, 96, 96)
    bad = DegradationRecipe(name)(photo, torch.Generator().manual_seed(0)).movedim(1, 3).numpy()
    found = [psnr(image, one) for one in bad]
    assert min(found) > 10 and np.mean(found) < 32 and np.std(found) > 0.5


@pytest.mark.parametrize("name", LEVELS)
def test_any_size_will_do(name):
    for height, width in ((8, 8), (33, 50), (256, 256)):
        assert DegradationLevel(name).on_image(picture(height, width), rng_of(0)).shape == (
            height,
            width,
            3,
        )


if __name__ == "__main__":
    cv2.imwrite(str(PINNED), sheet()[..., ::-1])
    sys.exit(0)
