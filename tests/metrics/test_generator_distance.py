"""Distances of distributions against closed forms and a slow loop."""

import pytest
import torch
from torch import Tensor, nn

from l2rkit.errors import DataError
from l2rkit.metrics import GeneratorDistance
from l2rkit.metrics.generator import described, frechet, kernel_distance


def with_moments(mean: Tensor, covariance: Tensor, count: int = 64) -> Tensor:
    """(count, D): samples that have exactly this mean and this covariance."""
    x = torch.randn(
        count, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    x = x - x.mean(0)
    white = x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T
    return white @ torch.linalg.cholesky(covariance).T + mean


def test_the_frechet_distance_of_known_normal_distributions() -> None:
    zero, variances = torch.zeros(3).double(), torch.tensor([1.0, 4, 9]).double()
    x = with_moments(zero, torch.diag(variances))
    shift = torch.tensor([1.0, -2, 0.5]).double()
    y = with_moments(shift, torch.diag(torch.tensor([4.0, 4, 1]).double()))
    # covariances that commute: the squared differences of deviations, 1, 0 and 2
    assert frechet(x, y) == pytest.approx(5.25 + 1 + 0 + 4)
    assert frechet(y, x) == pytest.approx(frechet(x, y))


def test_the_frechet_distance_of_covariances_that_do_not_commute() -> None:
    a = torch.tensor([[2.0, 1], [1, 1]]).double()
    b = torch.tensor([[1.0, 0], [0, 3]]).double()
    x, y = with_moments(torch.zeros(2).double(), a), with_moments(torch.zeros(2).double(), b)
    # of 2 by 2 the trace of √M is √(tr M + 2 √det M), here for M = A B
    product = a @ b
    root = (product.trace() + 2 * torch.linalg.det(product).sqrt()).sqrt()
    assert frechet(x, y) == pytest.approx((a.trace() + b.trace() - 2 * root).item())


def test_equal_sets_have_no_frechet_distance_even_with_few_samples() -> None:
    x = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    assert frechet(x, x) == pytest.approx(0, abs=1e-5)
    constant = x[:1].expand(5, -1)
    assert frechet(x, constant) == pytest.approx(
        (x.mean(0) - x[0]).square().sum().item() + x.var(0).sum().item(), rel=1e-5
    )


def test_the_kernel_distance_is_that_of_a_slow_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 3, generator=generator), torch.rand(5, 3, generator=generator)

    def kernel(a: Tensor, b: Tensor) -> float:
        return (sum(float(p) * float(q) for p, q in zip(a, b)) / 3 + 1) ** 3

    own = [kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    other = [kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    cross = [kernel(a, b) for a in x for b in y]
    expected = sum(own) / 12 + sum(other) / 20 - 2 * sum(cross) / 20
    assert kernel_distance(x, y) == pytest.approx(expected, rel=1e-5)


def test_the_kernel_distance_of_equal_distributions_is_around_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    distances = []
    for _ in range(40):
        x, y = torch.randn(2, 30, 4, generator=generator)
        distances.append(kernel_distance(x, y))
    distances = torch.tensor(distances)
    assert min(distances) < 0 < max(distances)
    assert distances.mean().abs() < 3 * distances.std() / 40**0.5


def test_maps_are_described_by_mean_and_deviation_of_each_channel() -> None:
    maps = torch.tensor([[[[1.0, 3], [1, 3]], [[2, 2], [2, 2]]]])
    assert described(maps).tolist() == [[2, 2, 1, 0]]


def measured(photos: Tensor, images: Tensor, features: nn.Module | None = None) -> dict:
    metric = GeneratorDistance(features)
    for photo, image in zip(photos.split(4), images.split(4)):
        metric.process(dict(photo=photo), [image])
    return metric.evaluate(len(photos))


def test_photos_are_as_near_as_can_be_and_noise_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    base = torch.rand(24, 3, 4, 4, generator=generator)
    photos = nn.functional.interpolate(base, (32, 32), mode="bilinear")
    perfect = measured(photos, photos.flip(0))
    noise = measured(photos, torch.rand(photos.shape, generator=generator))
    assert perfect["fmd"] == pytest.approx(0, abs=1e-4)
    assert perfect["kmd"] < perfect["half_kmd"] + 1e-6
    assert noise["fmd"] > noise["mean_photo_fmd"] > noise["half_fmd"] > 0
    assert noise["kmd"] > noise["mean_photo_kmd"] > noise["half_kmd"]
    for name in ("half_fmd", "mean_photo_fmd"):
        assert perfect[name] == pytest.approx(noise[name]), "they do not depend on images"


def test_the_mean_photos_figure_is_of_the_mean_photo() -> None:
    photos = torch.tensor([0.2, 0.4, 0.6, 0.8])[:, None, None, None].expand(4, 3, 8, 8)
    report = measured(photos, photos, nn.Sequential(nn.Identity()))
    # their means have mean 0.5 and variance 1 / 15 in each of 3 channels, all else is 0
    assert report["mean_photo_fmd"] == pytest.approx(3 / 15, abs=1e-3)


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(DataError, match="GeneratorDistance requires at least 4 photos, not 2"):
        measured(torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16))
