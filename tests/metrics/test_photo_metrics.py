"""PSNR and SSIM against their definitions, pixel by pixel."""

import math

import pytest
import torch
from torch import Tensor

from l2rkit.metrics import PhotoErrors, RenderErrors, psnr, ssim
from l2rkit.structures import Rendering, Scene
from l2rkit.testing import example_face


def slow_ssim(x: Tensor, y: Tensor) -> float:
    """Wang et al., 2004, equation 13, over every window of 11 px that fits, for one channel."""
    place = torch.arange(11, dtype=torch.float64) - 5
    window = torch.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for row in range(x.shape[0] - 10):
        for column in range(x.shape[1] - 10):
            a, b = (p[row : row + 11, column : column + 11] for p in (x, y))
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            both = (window * (a - ma) * (b - mb)).sum()
            share = (2 * ma * mb + 1e-4) * (2 * both + 9e-4)
            values.append(share / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))
    return torch.stack(values).mean().item()


def test_a_known_error_has_a_known_psnr():
    clean = torch.full((2, 3, 8, 8), 0.5)
    worse = torch.stack([clean[0] + 0.1, clean[1] - 0.01])
    assert psnr(worse, clean).tolist() == pytest.approx([20.0, 40.0], abs=1e-3)
    assert psnr(clean, clean).tolist() == [100.0, 100.0]


def test_ssim_is_the_published_one():
    draw = torch.Generator().manual_seed(0)
    clean = torch.rand(2, 2, 14, 13, generator=draw, dtype=torch.float64)
    image = (clean + 0.2 * torch.rand(clean.shape, generator=draw)).clamp(0, 1)
    expected = [
        (slow_ssim(image[i, 0], clean[i, 0]) + slow_ssim(image[i, 1], clean[i, 1])) / 2
        for i in range(2)
    ]
    assert ssim(image, clean).tolist() == pytest.approx(expected, abs=1e-9)
    assert ssim(clean, clean).tolist() == pytest.approx([1, 1])


def test_the_report_is_over_images_and_asks_for_identity():
    clean = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    image = clean + torch.tensor([0.1, 0.01, 0.001])[:, None, None, None]
    metric = PhotoErrors(identity=lambda photo: photo.mean((2, 3)) - 0.5)
    for part in (slice(0, 2), slice(2, 3)):
        metric.process(dict(photo=image[part], clean=clean[part]), [image[part]])
    report = metric.compute_metrics(metric.results)
    assert report["psnr"] == pytest.approx(40, abs=1e-3)
    assert metric.each["psnr"] == pytest.approx([20, 40, 60], abs=1e-3)  # in order
    assert set(metric.each) == {"psnr", "ssim", "identity"}
    assert report["psnr_std"] == pytest.approx(20, abs=1e-3)
    a, b = image.mean((2, 3)) - 0.5, clean.mean((2, 3)) - 0.5
    cosines = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    assert report["identity"] == pytest.approx(cosines.mean().item(), abs=1e-5)


def test_a_photo_that_was_not_degraded_is_its_own_truth():
    photo, metric = torch.rand(1, 3, 16, 16), PhotoErrors()
    metric.process(dict(photo=photo), [photo])
    report = metric.compute_metrics(metric.results)
    assert report["psnr"] == 100 and report["psnr_std"] == 0 and "identity" not in report
    assert not math.isnan(report["ssim"])


def test_a_drawn_face_is_compared_where_it_is():
    clean = 0.2 + 0.5 * torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(2, 1, 16, 16)
    mask[0, :, :, :4], mask[1, :, 2:] = 1, 1
    image = torch.where(mask > 0, clean + torch.tensor([0.1, 0.01])[:, None, None, None], 9.0)
    face = example_face(16)
    scene = Scene(1 - clean, face, Rendering(image, mask, face.depth))
    metric = RenderErrors()
    metric.process(dict(photo=1 - clean, clean=clean), [scene])
    report = metric.compute_metrics(metric.results)
    assert report["render_psnr"] == pytest.approx(30, abs=1e-3), "20 and 40 dB, wherever they are"
    laid = torch.where(mask > 0, image, clean)
    assert report["render_ssim"] == pytest.approx(ssim(laid, clean).mean().item(), abs=1e-6)


def test_a_face_that_is_nowhere_has_no_error_to_know():
    clean, face = torch.rand(2, 3, 16, 16), example_face(16)
    mask = torch.zeros(2, 1, 16, 16)
    mask[0] = 1
    metric = RenderErrors()
    drawn = Rendering(torch.zeros_like(clean), mask, face.depth)
    metric.process(dict(photo=clean), [Scene(clean, face, drawn)])
    metric.compute_metrics(metric.results)
    there, nowhere = metric.each["render_psnr"]
    assert 0 < there < 20 and math.isnan(nowhere)
