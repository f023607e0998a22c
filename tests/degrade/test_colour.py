"""Degradations of colour on known colours."""

import numpy as np
import pytest
from pictures import both, picture

from l2rkit.degrade import ColourJitter, ColourShift, Faded, Greyscale
from l2rkit.degrade.colour import SEPIA
from l2rkit.degrade.degradation import rng_of

MID = np.float32([0.5, 0.4, 0.6]) + 0 * picture(16, 16)


def test_a_shift_is_one_number_per_channel():
    for shifted in both(ColourShift(20), MID):
        moved = (shifted - MID) * 255
        assert np.ptp(moved, axis=(0, 1)).max() < 1e-3 and np.abs(moved).max() <= 20
    shifts = [ColourShift(20).draw(rng_of(i), 8, 8)["shift"] for i in range(200)]
    np.testing.assert_allclose(np.std(shifts, 0) * 255, 20 / 3**0.5, rtol=0.15)


def test_jitter_changes_what_it_says():
    image = 0.3 + 0.3 * picture()  # so that nothing is clipped
    luma = image @ np.float32([0.299, 0.587, 0.114])
    for brighter in both(ColourJitter(1.2, 1, 1), image):
        np.testing.assert_allclose(brighter, 1.2 * image, atol=1e-6)
    for flatter in both(ColourJitter(1, 0.5, 1), image):
        np.testing.assert_allclose(flatter.std((0, 1)), image.std((0, 1)) / 2, rtol=1e-4)
        assert flatter.mean() == pytest.approx(0.5 * image.mean() + 0.5 * luma.mean(), abs=1e-4)
    for grey in both(ColourJitter(1, 1, 0), image):
        np.testing.assert_allclose(grey, luma[..., None].repeat(3, 2), atol=1e-6)
    for same in both(ColourJitter(1, 1, 1), image):
        np.testing.assert_allclose(same, image, atol=1e-6)


def test_grey_is_the_luma_of_the_standard():
    pure = np.float32([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]])
    for grey in both(Greyscale(), pure):
        np.testing.assert_allclose(grey[0, :, 0], [0.299, 0.587, 0.114, 1], atol=1e-6)
        assert np.ptp(grey, axis=2).max() == 0


def test_faded_lifts_black_dulls_white_and_yellows():
    ends = np.float32([[[0, 0, 0], [1, 1, 1]]])
    for faded in both(Faded(sepia=0, black=0.2, white=0.8), ends):
        np.testing.assert_allclose(faded[0, :, 0], [0.2, 0.8], atol=1e-6)
    for faded in both(Faded(sepia=1, black=0, white=1), ends):
        np.testing.assert_allclose(faded[0, 1], SEPIA, atol=1e-6)
    for faded in both(Faded(sepia=1), picture()):
        red, green, blue = faded.mean((0, 1))
        assert red > green > blue


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="ColourShift: levels"):
        ColourShift(-1)
    with pytest.raises(ValueError, match="ColourJitter: contrast"):
        ColourJitter(contrast=(-1, 1))
    with pytest.raises(ValueError, match=r"Faded: sepia .* within 0\.\.1, not 2"):
        Faded(sepia=2)
