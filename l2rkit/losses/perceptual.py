"""Features of the rendered face against those of the photo (Unsup3D, equation 7)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ..ops.masked import masked_mean
from ..registry import LOSSES, MODELS
from ..structures import Scene
from .photometric import EPSILON, log_of, scales


@LOSSES.register_module()
class Perceptual(nn.Module):
    """Negative log-likelihood of the photo's features under a Gaussian around the rendered ones.

    Unsup3D's `PerceptualLoss`.

    Args:
        features: the extractor, (B, 3, H, W) in [0, 1] → (B, C, H/4, W/4); its weights are frozen.
        weight: of the loss; 1 in the paper.
        mirror: weight of the mirrored face; 0.5 in the paper.
        scale: a fixed scale in place of the predicted confidence.
    """

    needs_rendering = True

    def __init__(
        self,
        features: dict | nn.Module,
        weight: float = 1.0,
        mirror: float = 0.5,
        scale: float | None = None,
    ) -> None:
        super().__init__()
        self.features = MODELS.build(features).eval().requires_grad_(False)
        self.weight, self.mirror, self.scale = weight, mirror, scale

    @property
    def needs_mirrored(self) -> bool:
        """Whether the scene needs the mirrored face, a second rendering."""
        return bool(self.mirror)

    def forward(self, scene: Scene) -> Tensor:
        own, mirrored = scales(scene, "feature", self.scale)
        with torch.no_grad():
            target = self.features(scene.target)
        mask = adaptive_avg_pool2d(scene.mask, target.shape[-2:])
        total = gaussian(self.features(scene.rendering.image), target, own, mask)
        if self.mirror:
            other = gaussian(self.features(scene.mirrored.image), target, mirrored, mask)
            total = total + self.mirror * other
        return self.weight * total

    def train(self, mode: bool = True) -> "Perceptual":
        """Leaves the extractor in evaluation mode."""
        return super().train(False)


def gaussian(image: Tensor, target: Tensor, scale: Tensor | float, mask: Tensor) -> Tensor:
    """Mean over the mask of (image - target)^2 / (2 scale^2) + log(scale), a scalar."""
    error = (image - target).square().mean(1, keepdim=True)
    spread = scale + EPSILON
    return masked_mean(error / (2 * scale**2 + EPSILON) + log_of(spread), mask)
