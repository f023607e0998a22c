"""Blur of a point, a plane and a wave."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import both

from l2rkit.degrade import (
    GaussianBlur,
    GeneralisedGaussianBlur,
    MotionBlur,
    PlateauBlur,
    SincBlur,
    kernels,
)
from l2rkit.degrade.blur import Blur, reflected
from l2rkit.degrade.degradation import rng_of


def spread(image):
    """The 2x2 covariance, in px², of (x, y) over the brightness of a channel."""
    weight = np.float64(image) / image.sum()
    y, x = np.mgrid[: len(image), : len(image)]
    x, y = x - (weight * x).sum(), y - (weight * y).sum()
    return np.array(
        [[(weight * a * b).sum() for a, b in pair] for pair in (((x, x), (x, y)), ((y, x), (y, y)))]
    )


def of_a_point(part, size=61):
    """Two pictures of a point of brightness 1 in the middle: by OpenCV and by torch."""
    point = np.zeros((size, size, 3), np.float32)
    point[size // 2, size // 2] = 1
    return [image[..., 0] for image in both(part, point)]


def check_gaussian(part, sigma):
    for image in of_a_point(part):
        np.testing.assert_allclose(spread(image), np.eye(2) * sigma**2, atol=0.01 * sigma**2)
        assert image.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("sigma", [0.8, 2, 4])
def test_a_point_becomes_a_gaussian_of_its_sigma(sigma):
    check_gaussian(GaussianBlur(sigma), sigma)


def test_a_blur_that_does_not_blur_fails():
    class Idle(GaussianBlur):
        def kernel(self, drawn):
            return np.ones((1, 1))

    with pytest.raises(AssertionError):
        check_gaussian(Idle(2), 2)


def test_sigma_grows_with_the_photo_and_0_does_nothing():
    sigma = GaussianBlur(10, for_height=512).draw(rng_of(0), 128, 96)["sigma"]
    assert sigma == (2.5, 2.5)
    drawn = GaussianBlur(10, side=41, for_height=512).draw(rng_of(0), 64, 64)
    assert drawn["radius"] == 3  # of 20 px at 512
    for image in of_a_point(GaussianBlur(0, side=5)):
        assert image[30, 30] == 1 and image.sum() == 1


def test_an_anisotropic_blur_is_wide_where_its_angle_points():
    for angle in (0.3, 1.2, 2.5):
        variance, axes = np.linalg.eigh(spread(kernels.gaussian((4, 1), angle, 20)))
        np.testing.assert_allclose(variance, [1, 16], rtol=0.01)
        along = axes[:, 1]
        assert abs(along @ [np.cos(angle), np.sin(angle)]) == pytest.approx(1, abs=1e-4)
    draws = [GaussianBlur((1, 3), anisotropic=True).draw(rng_of(i), 32, 32) for i in range(200)]
    assert min(d["angle"] for d in draws) < 0.1 and max(d["angle"] for d in draws) > 3.0
    assert all(d["sigma"][0] != d["sigma"][1] for d in draws)


def test_bells_are_gaussian_at_beta_1_and_flatter_above():
    round_one = kernels.gaussian((2, 2), 0, 10)
    np.testing.assert_allclose(kernels.generalised_gaussian((2, 2), 0, 10, 1), round_one)
    profile = [kernels.generalised_gaussian((3, 3), 0, 10, beta)[10] for beta in (0.5, 1, 4)]
    fall = [row[12] / row[10] for row in profile]  # at 2 px of sigma 3
    assert fall[0] < fall[1] < fall[2] and fall[2] > 0.97
    plateau = kernels.plateau((3, 3), 0, 10, 2)[10]
    assert plateau[13] / plateau[10] == pytest.approx(0.5)  # at one sigma


@pytest.mark.parametrize("blur", [GeneralisedGaussianBlur, PlateauBlur])
def test_half_of_the_betas_lie_below_1(blur):
    betas = [blur(1.0, beta=(0.5, 4)).draw(rng_of(i), 32, 32)["beta"] for i in range(400)]
    assert 0.42 < np.mean(np.less(betas, 1)) < 0.58
    assert min(betas) >= 0.5 and max(betas) <= 4
    assert all(blur(1.0, beta=(2, 3)).draw(rng_of(i), 32, 32)["beta"] >= 2 for i in range(20))


@pytest.mark.parametrize(("length", "angle_deg"), [(8, 0), (15, 30), (15.5, 90), (21, 135)])
def test_motion_has_its_length_and_angle(length, angle_deg):
    for image in of_a_point(MotionBlur(length, angle_deg)):
        variance, axes = np.linalg.eigh(spread(image))
        # an even line has length²/12; sharing points among pixels adds at most a quarter px²
        assert length**2 / 12 <= variance[1] + 1e-3 <= length**2 / 12 + 0.26
        assert variance[0] <= 0.26
        angle = np.degrees(np.arctan2(axes[1, 1], axes[0, 1])) % 180
        assert min(abs(angle - angle_deg), 180 - abs(angle - angle_deg)) < 1
        assert image.sum() == pytest.approx(1, abs=1e-4)


def test_motion_of_no_length_moves_nothing():
    for image in of_a_point(MotionBlur(0)):
        assert image[30, 30] == 1


def test_sinc_passes_constants_and_stops_what_is_finer_than_its_cutoff():
    plane = np.full((64, 64, 3), 0.4, np.float32)
    for image in both(SincBlur(0.4, 21), plane):
        np.testing.assert_allclose(image, 0.4, atol=1e-6)
    passed = np.abs(np.fft.fft2(kernels.circular_sinc(0.5, 40), (256, 256)))
    share = np.abs(np.fft.fftfreq(256) * 2)  # of the highest frequency
    distance = np.hypot(share[:, None], share[None])
    assert np.abs(passed[distance < 0.4] - 1).max() < 0.1
    assert passed[distance > 0.6].max() < 0.1
    half = np.abs(distance - 0.5) < 0.01
    assert 0.3 < passed[half].mean() < 0.7


@given(side=st.integers(1, 12), radius=st.integers(0, 40))
def test_mirrors_repeat_as_numpy_has_it(side, radius):
    expected = np.pad(np.arange(side), radius, "reflect")
    np.testing.assert_array_equal(reflected(side, radius), expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianBlur(-1), r"GaussianBlur: sigma is .* within 0\.\.inf, not -1"),
        (lambda: GaussianBlur(None), r"sigma is a number or a \(low, high\).*None"),
        (lambda: GaussianBlur((3, 1)), r"sigma is a number or a \(low, high\).*\(3, 1\)"),
        (lambda: GaussianBlur("2"), "sigma is a number"),
        (lambda: GaussianBlur((1, 2, 3)), "sigma is a number"),
        (lambda: GaussianBlur(side=4), "side is an odd number of px, not 4"),
        (lambda: GaussianBlur(for_height=0), "for_height is a number of px or None, not 0"),
        (lambda: PlateauBlur(beta=0), "PlateauBlur: beta"),
        (lambda: MotionBlur(-2), "MotionBlur: length"),
        (lambda: SincBlur(1.5), r"SincBlur: cutoff .* within 0\.001\.\.1, not 1\.5"),
        (lambda: SincBlur(side=(6, 9)), "SincBlur: side is odd"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_plugin_s_blur_needs_only_its_kernel():
    class Box(Blur):
        def kernel(self, drawn):
            return np.full((3, 3), 1 / 9)

    photo = torch.zeros(1, 3, 5, 5)
    photo[..., 2, 2] = 0.9
    assert Box()(photo, torch.Generator())[0, 0, 1, 1] == pytest.approx(0.1)
