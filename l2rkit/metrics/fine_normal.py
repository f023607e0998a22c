"""Errors of fine normals: wrinkles and folds, without the coarse shape."""

from collections.abc import Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import DataError
from ..landmarks.region import face_region
from ..ops.masked import masked_blur, masked_means
from ..render.warp import normals_in_view
from ..structures import Scene
from .figures import ImageFigures
from .masks import inner

BLUR = 0.015  # standard deviation of the Gaussian, in widths of the picture


def fine(normal: Tensor, mask: Tensor) -> Tensor:
    """(B, 3, H, W) unit: normals minus their Gaussian mean over the mask, plus (0, 0, -1).

    normal (B, 3, H, W) unit; mask (B, 1, H, W). Of a smooth surface they are (0, 0, -1).
    """
    rest = normal - masked_blur(normal, mask, BLUR * normal.shape[-1])
    return normalize(rest + rest.new_tensor([0, 0, -1]).view(1, 3, 1, 1), dim=1)


def angles_between(a: Tensor, b: Tensor) -> Tensor:
    """(B, 1, H, W): degrees between unit vectors (B, 3, H, W); exact for small angles."""
    apart = (a - b).norm(dim=1, keepdim=True) / 2
    return 2 * apart.clamp(max=1).asin().rad2deg()


@METRICS.register_module()
class FineNormalErrors(ImageFigures):
    """Angle between fine normals of the face and the true ones, in degrees; see `fine`.

    `smooth_fine_normal` is the figure of a head without detail on the same pixels: a method
    restores detail only if it is below. The batch's `normal` (B, 3, H, W) is the truth where its
    `mask` is 1 and the face was rendered, without the outermost pixels of both.

    Raises:
        DataError: on some photo no true normal was compared.
    """

    names = ("fine_normal", "smooth_fine_normal")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth, known = (data_batch[key].cpu().float() for key in ("normal", "mask"))
        (scene,) = data_samples
        normal = normals_in_view(scene.face, scene.rendering.depth).detach().cpu().float()
        own = scene.rendering.mask.detach().cpu().float()
        self.add(*fine_errors(normal, truth, known * (own > 0.5)))


def fine_errors(normal: Tensor, truth: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) degrees between fine normals, and (B,) those of the truth and of no detail."""
    counted = inner(mask)
    if not (counted.sum((1, 2, 3)) > 0).all():
        raise DataError("FineNormalErrors: a photo has no true normal where its face was rendered")
    fine_truth, fine_normal = fine(truth, mask), fine(normal, mask)
    none = torch.zeros_like(fine_truth)
    none[:, 2] = -1
    return (
        masked_means(angles_between(fine_normal, fine_truth), counted),
        masked_means(angles_between(none, fine_truth), counted),
    )


@METRICS.register_module()
class FaceNormalErrors(ImageFigures):
    """Degrees between normals, and between fine normals, within the landmarks' outline.

    As `NormalErrors` and `FineNormalErrors`, on fewer pixels; `landmarks_3d` (B, 468, 3) px of the
    batch give the region.

    Raises:
        DataError: on some photo no true normal was compared.
    """

    names = ("face_normal", "face_fine_normal", "face_smooth_fine_normal")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth, known = (data_batch[key].cpu().float() for key in ("normal", "mask"))
        (scene,) = data_samples
        normal = normals_in_view(scene.face, scene.rendering.depth).detach().cpu().float()
        region = face_region(data_batch["landmarks_3d"], truth.shape[-1]).cpu().float()
        mask = known * (scene.rendering.mask.detach().cpu().float() > 0.5) * region
        errors = fine_errors(normal, truth, mask)
        self.add(masked_means(angles_between(normal, truth), inner(mask)), *errors)
