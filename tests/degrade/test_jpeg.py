"""JPEG in torch against libjpeg, and known properties of JPEG."""

import cv2
import numpy as np
import pytest
import torch
from pictures import batch, both, picture, psnr

from l2rkit.degrade import Jpeg
from l2rkit.degrade.jpeg import LUMA_TABLE, coded, cosines, tables


def test_as_libjpeg_at_any_size_and_quality():
    """400 pictures of 8..70 px: PSNR mostly above 48 dB, in the worst case 28.

    Where a wave falls on the middle between two steps of the table, the 8-bit arithmetic of
    libjpeg and ours may go to different sides, and a whole block moves by a step.
    """
    rng, found, means = np.random.default_rng(0), [], []
    for _ in range(400):
        height, width = rng.integers(8, 71, 2)
        noise = rng.choice([0, 0.02, 0.1]) * rng.standard_normal((height, width, 3))
        image = np.float32((picture(height, width) + noise).clip(0, 1))
        ours, theirs = both(Jpeg(int(rng.integers(1, 101))), image)
        found.append(psnr(ours, theirs))
        means.append(np.abs(ours - theirs).mean() * 255)
    assert np.median(found) > 48 and np.quantile(found, 0.02) > 34 and min(found) > 28
    assert np.median(means) < 0.5 and max(means) < 4


@pytest.mark.parametrize("quality", [5, 30, 60, 90, 100])
def test_as_libjpeg_on_the_whole(quality):
    """Over 20 noisy pictures: mean difference below half a level, mean PSNR above 46 dB."""
    rng = np.random.default_rng(0)
    images = [
        np.float32((picture(61, 50) + rng.normal(0, 0.03, (61, 50, 3))).clip(0, 1))
        for _ in range(20)
    ]
    pairs = [both(Jpeg(quality), image) for image in images]
    assert np.mean([np.abs(a - b).mean() for a, b in pairs]) * 255 < 0.5
    assert np.mean([psnr(a, b) for a, b in pairs]) > 46


def test_the_best_quality_is_nearly_the_identity_and_worse_is_worse():
    # colour may be lost, at half the size; so the picture is grey
    image = picture()[..., :1].repeat(3, 2)
    results = [both(Jpeg(quality), image) for quality in (100, 80, 40, 10)]
    for way in (0, 1):
        quality = [psnr(image, result[way]) for result in results]
        assert quality == sorted(quality, reverse=True)
        assert np.abs(image - results[0][way]).max() * 255 < 2.5
        assert quality[-1] < 30


def test_low_quality_makes_blocks_of_8():
    rng = np.random.default_rng(0)
    slope = np.float32(np.linspace(0.2, 0.8, 64)[None, :, None] + rng.normal(0, 0.02, (64, 64, 1)))
    for image in both(Jpeg(3), slope.repeat(3, 2)):
        grey = image.mean(2)
        steps = np.abs(np.diff(grey, axis=1)).mean(0)
        at_edges = steps[7::8]
        assert at_edges.mean() > 5 * np.delete(steps, np.s_[7::8]).mean()


def test_the_transform_is_its_own_inverse_and_finds_waves():
    np.testing.assert_allclose(cosines() @ cosines().T, np.eye(8), atol=1e-12)
    one = torch.ones(1, 1, 1, 1)
    plane = torch.arange(256.0).reshape(1, 1, 16, 16)
    assert (coded(plane, one.expand(1, 1, 8, 8)) - plane).abs().max() <= 1


def test_tables_are_the_standard_s_at_50_and_ones_at_100():
    like = torch.zeros(1)
    at = tables(LUMA_TABLE, [50, 100, 75, 10, 1], like)
    assert at[0, 0].tolist() == LUMA_TABLE and at[1].eq(1).all()
    assert at[2, 0, 0, :3].tolist() == [8, 6, 5] and at[3, 0, 0, 0] == 80
    assert at[4].max() == 255


def test_tables_are_those_in_libjpeg_s_files():
    """The first table that OpenCV writes, after the marker FF DB, in zigzag order."""
    zigzag = sorted(
        ((r, c) for r in range(8) for c in range(8)),
        key=lambda rc: (sum(rc), rc[0] if sum(rc) % 2 else rc[1]),
    )
    for quality in (1, 17, 49, 50, 88, 100):
        _, code = cv2.imencode(
            ".jpg", np.zeros((8, 8, 3), np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        start = code.tobytes().index(b"\xff\xdb") + 5
        ours = tables(LUMA_TABLE, [quality], torch.zeros(1))[0, 0]
        assert [int(ours[r, c]) for r, c in zigzag] == list(code[start : start + 64])


def test_each_photo_has_its_own_quality():
    image = picture(32, 32)
    worst, best = Jpeg().degrade(batch(image, image), [dict(quality=5), dict(quality=95)])
    assert psnr(image, worst.movedim(0, 2).numpy()) + 6 < psnr(image, best.movedim(0, 2).numpy())
    drawn = {Jpeg((40, 43)).draw(np.random.default_rng(i), 8, 8)["quality"] for i in range(60)}
    assert drawn == {40, 41, 42, 43}


@pytest.mark.parametrize("quality", [0, 101, (50, 40), 50.5])
def test_wrong_quality_is_named(quality):
    with pytest.raises(ValueError, match="Jpeg: quality is"):
        Jpeg(quality)
