"""Fine normals ignore the head's shape and are exact for waves on it."""

import numpy as np
import pytest
import torch

from l2rkit.errors import DataError
from l2rkit.metrics import FineNormalErrors
from l2rkit.metrics.fine_normal import BLUR, angles_between, fine, fine_errors
from l2rkit.ops.masked import masked_blur


def wavy(tilt_deg=0.0, wave_deg=0.0, size=128, period=4):
    """Normals (1, 3, S, S) that lean by `tilt_deg`, and by waves of `wave_deg` about it."""
    angle = torch.full((size, size), np.radians(tilt_deg))
    angle = angle + np.radians(wave_deg) * torch.sin(torch.arange(size) * 2 * np.pi / period)
    return torch.stack([angle.sin(), torch.zeros_like(angle), -angle.cos()])[None].float()


def ones(size=128):
    return torch.ones(1, 1, size, size)


def test_a_smooth_surface_is_flat_however_it_leans():
    bent = fine(wavy(tilt_deg=30), ones())
    assert (angles_between(bent, wavy()) < 0.05).all()


def test_perfect_normals_have_no_error():
    truth = wavy(10, 8)
    assert fine_errors(truth, truth, ones())[0].item() == pytest.approx(0, abs=1e-4)


def test_a_wrong_shape_under_right_waves_counts_little():
    own, smooth = fine_errors(wavy(12, 6), wavy(0, 6), ones())
    assert own < 0.1 * smooth


def test_waves_that_are_missed_count_by_their_own_angle():
    """The mean of |sin| is 2 / pi; a Gaussian of 1.9 px leaves 1 - exp(-2 (pi 1.92 / 4)^2)."""
    own, smooth = fine_errors(wavy(0, 0), wavy(0, 6), ones())
    left = 1 - np.exp(-2 * (np.pi * BLUR * 128 / 4) ** 2)
    sampled = np.abs(np.sin(np.arange(4) * np.pi / 2)).mean()
    assert own.item() == pytest.approx(6 * sampled * left, rel=0.02)
    assert own.item() == pytest.approx(smooth.item(), rel=1e-4)


def test_waves_turned_inside_out_count_twice():
    own, smooth = fine_errors(wavy(0, -6), wavy(0, 6), ones())
    assert own.item() == pytest.approx(2 * smooth.item(), rel=0.02)


def test_what_is_outside_the_mask_has_no_say():
    mask = ones()
    mask[..., 64:] = 0
    truth, other = wavy(5, 6), wavy(5, 6)
    other[..., 64:] = wavy(60, 20)[..., 64:]
    assert fine_errors(other, truth, mask)[0].item() == pytest.approx(0, abs=1e-3)
    flat = masked_blur(torch.full((1, 1, 128, 128), 2.0), mask, 1.9)
    np.testing.assert_allclose(flat[mask > 0].numpy(), 2, rtol=1e-5)


def test_nothing_to_compare_is_an_error():
    with pytest.raises(DataError, match="no true normal"):
        fine_errors(wavy(), wavy(), 0 * ones())


def test_names_and_order():
    metric = FineNormalErrors()
    metric.add(torch.tensor([1.0, 3.0]), torch.tensor([4.0, 4.0]))
    report = metric.compute_metrics(metric.results)
    assert report["fine_normal"] == 2 and report["smooth_fine_normal"] == 4
