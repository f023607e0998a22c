"""Distance between the distributions of generated images and photos.

Fréchet and kernel distance as in FID (Heusel et al., NeurIPS 2017) and KID (Binkowski et al., ICLR
2018), but with features of the shipped MobileNetV2 in place of Inception's, hence FMD and KMD. They
do not compare with published figures, only with one another for equal photos, sizes in px and
numbers of images.
"""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from torch import Tensor, nn

from ..errors import DataError
from ..losses.features import MobileNetFeatures
from ..registry import MODELS


def described(maps: Tensor) -> Tensor:
    """(B, 2 C): mean and standard deviation of each channel of maps (B, C, h, w) over pixels."""
    return torch.cat([maps.mean((2, 3)), maps.std((2, 3), unbiased=False)], 1)


def frechet(x: Tensor, y: Tensor) -> float:
    """Squared Fréchet distance of normal distributions fitted to x (N, D) and y (M, D).

    |m - n|² + tr(A) + tr(B) - 2 tr((√A B √A)^½) for means m, n and covariances A, B. It is
    biased upwards, more so for fewer samples.
    """
    x, y = x.double(), y.double()
    a, b = torch.cov(x.T), torch.cov(y.T)
    values, vectors = torch.linalg.eigh(a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ b @ root).clamp(min=0).sqrt().sum()
    distance = (x.mean(0) - y.mean(0)).square().sum() + a.trace() + b.trace() - 2 * cross
    return distance.item()


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """Squared maximum mean discrepancy of x (N, D) and y (M, D) for the kernel (x·y / D + 1)³.

    Unbiased, so for equal distributions it is around 0 and may be negative.
    """
    x, y = x.double(), y.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        own = kernel(a, a)
        return (own.sum() - own.trace()) / (len(a) * (len(a) - 1))

    return (within(x) + within(y) - 2 * kernel(x, y).mean()).item()


@METRICS.register_module()
class GeneratorDistance(BaseMetric):
    """`fmd` and `kmd` (times 1000) between photos and as many generated images.

    Also those of the repeated mean photo (`mean_photo_`), and of one half of the photos against the
    other (`half_`), the distance between real photos; its `fmd` is of half as many images and thus
    too large.

    Args:
        features: image → maps (B, C, h, w); default: `MobileNetFeatures`.

    Raises:
        DataError: there are fewer than 4 photos.
    """

    default_prefix = ""

    def __init__(self, features: dict | nn.Module | None = None, **metric: object) -> None:
        super().__init__(**metric)
        self.features = MODELS.build(features) or MobileNetFeatures()
        self.features.eval().requires_grad_(False)

    @torch.no_grad()
    def process(self, data_batch: dict, data_samples: Sequence[Tensor]) -> None:
        photo = data_batch["photo"].cpu()
        (image,) = (image.cpu().float() for image in data_samples)
        of_photo, of_image = described(self.features(photo)), described(self.features(image))
        small = (photo * 255).round().byte()
        # clones: views would send the whole batch between processes
        rows = zip(of_photo, of_image, small)
        self.results += [tuple(part.clone() for part in row) for row in rows]

    @torch.no_grad()
    def compute_metrics(self, results: list) -> dict[str, float]:
        if len(results) < 4:
            raise DataError(f"GeneratorDistance requires at least 4 photos, not {len(results)}")
        photo, made, small = (torch.stack(column) for column in zip(*results))
        mean = small.float().mean(0, keepdim=True) / 255
        mean = described(self.features(mean)).expand_as(photo)
        report = {}
        pairs = {
            "": (photo, made),
            "mean_photo_": (photo, mean),
            "half_": (photo[::2], photo[1::2]),
        }
        for name, pair in pairs.items():
            report |= {f"{name}fmd": frechet(*pair), f"{name}kmd": 1000 * kernel_distance(*pair)}
        return report
