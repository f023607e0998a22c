"""Noise has the stated strength, colour and dependence on brightness."""

import numpy as np
import pytest
import torch
from pictures import both

from l2rkit.degrade import GaussianNoise, PoissonNoise
from l2rkit.degrade.degradation import rng_of


def plane(brightness, size=128):
    return np.full((size, size, 3), brightness, np.float32)


@pytest.mark.parametrize("levels", [3, 12, 25])
def test_gaussian_noise_has_its_standard_deviation(levels):
    for noisy in both(GaussianNoise(levels), plane(0.5)):
        assert noisy.std() * 255 == pytest.approx(levels, rel=0.02)
        assert noisy.mean() == pytest.approx(0.5, abs=4 * levels / 255 / 221)
        neighbours = np.corrcoef(noisy[:, 1:].ravel(), noisy[:, :-1].ravel())[0, 1]
        assert abs(neighbours) < 0.02


def test_channels_are_independent_or_alike():
    coloured, _ = both(GaussianNoise(10), plane(0.5))
    assert np.abs(np.corrcoef(coloured.reshape(-1, 3).T) - np.eye(3)).max() < 0.03
    for part in (GaussianNoise(10, grey=1), PoissonNoise(1, grey=1)):
        for grey in both(part, plane(0.5)):
            assert np.ptp(grey, axis=2).max() < 1e-6 and grey.std() > 0.01
    drawn = [GaussianNoise(10, grey=0.4).draw(rng_of(i), 4, 4) for i in range(300)]
    assert 0.3 < np.mean([d["field"].shape[2] == 1 for d in drawn]) < 0.5


@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_poisson_s_variance_is_proportional_to_brightness(scale):
    for brightness in (0.1, 0.3, 0.6):
        for noisy in both(PoissonNoise(scale), plane(brightness)):
            assert noisy.var() * 255 == pytest.approx(scale**2 * brightness, rel=0.05)
            assert noisy.mean() == pytest.approx(brightness, abs=0.002)
    for noisy in both(PoissonNoise(scale), plane(0)):
        assert noisy.max() < 0.001 * scale


def test_poisson_is_what_counted_photons_give():
    counted = np.random.default_rng(0).poisson(0.3 * 255, 100_000) / 255
    noisy, _ = both(PoissonNoise(1), plane(0.3, 200))
    expected, got = (np.quantile(many, [0.01, 0.1, 0.5, 0.9, 0.99]) for many in (counted, noisy))
    np.testing.assert_allclose(got, expected, atol=1.5 / 255)


def test_photos_of_a_batch_have_their_own_noise_and_a_gradient_at_black():
    photo = torch.zeros(2, 3, 16, 16, requires_grad=True)
    noisy = PoissonNoise(1)(photo, torch.Generator().manual_seed(0))
    noisy.sum().backward()
    assert photo.grad.isfinite().all()
    grey = torch.full((2, 3, 16, 16), 0.5)
    first, second = GaussianNoise(5)(grey, torch.Generator().manual_seed(0))
    assert (first - second).std() * 255 == pytest.approx(5 * 2**0.5, rel=0.1)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"GaussianNoise: levels .* not \(-1, 3\)"):
        GaussianNoise((-1, 3))
    with pytest.raises(ValueError, match="PoissonNoise: scale"):
        PoissonNoise(-1)
    with pytest.raises(ValueError, match=r"GaussianNoise: grey .* within 0\.\.1, not 2"):
        GaussianNoise(grey=2)
