"""Colours of the rendered face against the photo (Unsup3D, equation 3)."""

import math

from torch import Tensor, nn

from ..ops.masked import masked_mean
from ..registry import LOSSES
from ..structures import Scene

EPSILON = 1e-7


@LOSSES.register_module()
class Photometric(nn.Module):
    """Negative log-likelihood of the photo under a Laplacian around each rendered colour.

    Unsup3D's `photometric_loss`.

    Args:
        weight: of the loss.
        mirror: weight of the mirrored face; 0.5 in the paper.
        scale: a fixed scale in place of the predicted confidence.
    """

    needs_rendering = True

    def __init__(
        self, weight: float = 1.0, mirror: float = 0.5, scale: float | None = None
    ) -> None:
        super().__init__()
        self.weight, self.mirror, self.scale = weight, mirror, scale

    @property
    def needs_mirrored(self) -> bool:
        """Whether the scene needs the mirrored face, a second rendering."""
        return bool(self.mirror)

    def forward(self, scene: Scene) -> Tensor:
        own, mirrored = scales(scene, "pixel", self.scale)
        total = laplacian(scene.rendering.image, scene.target, own, scene.mask)
        if self.mirror:
            other = laplacian(scene.mirrored.image, scene.target, mirrored, scene.mask)
            total = total + self.mirror * other
        return self.weight * total


def laplacian(image: Tensor, target: Tensor, scale: Tensor | float, mask: Tensor) -> Tensor:
    """Mean over the mask of sqrt(2) |image - target| / scale + log(scale), a scalar.

    image, target (B, C, H, W); scale (B, 1, H, W) or a number; mask (B, 1, H, W). The constant
    log(sqrt(2)) is left out, as in the released code.
    """
    scale = scale + EPSILON
    error = (image - target).abs().mean(1, keepdim=True)
    return masked_mean(math.sqrt(2) * error / scale + log_of(scale), mask)


def scales(scene: Scene, kind: str, fixed: float | None) -> tuple[Tensor | float, Tensor | float]:
    """The scales for the face and for its mirror: predicted, or `fixed`, or 1 without either."""
    confidence = scene.face.confidence
    if fixed is not None:
        return fixed, fixed
    if confidence is None:
        return 1.0, 1.0
    own, mirrored = getattr(confidence, kind).split(1, dim=1)
    return own, mirrored


def log_of(scale: Tensor | float) -> Tensor | float:
    """The logarithm of a scale, which may be a number."""
    return scale.log() if isinstance(scale, Tensor) else math.log(scale)
