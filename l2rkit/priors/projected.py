"""A discriminator on features of a trained network, which converges faster."""

from math import sqrt

import torch
from torch import Tensor, nn

from ..registry import MODELS
from .discriminator import check_condition
from .layers import leaky


@MODELS.register_module()
class ProjectedDiscriminator(nn.Module):
    """Image (B, 3, H, W) in [0, 1] → score (B,): the higher, the more like a photo.

    Its features are those of a frozen network, as in Sauer et al., *Projected GANs Converge Faster*
    (NeurIPS 2021), without the random mixing of sizes. Positions are scored at the features' size,
    at half of it and so on; the score is the sum over sizes of the mean over positions.

    Args:
        features: image (B, 3, H, W) → (B, C, h, w); frozen.
        width: channels at each size.
        sizes: how many there are.
        condition: as in `StyleGAN2Discriminator`, by the mean of the last features.
    """

    def __init__(
        self, features: dict | nn.Module, width: int = 64, sizes: int = 4, condition: int = 0
    ) -> None:
        super().__init__()
        self.condition = condition
        self.features = MODELS.build(features).requires_grad_(False).eval()
        channels = self.features(torch.zeros(1, 3, 32, 32)).shape[1]
        self.first = nn.Conv2d(channels, width, 1)
        self.down = nn.ModuleList(
            nn.Conv2d(width, width, 4, stride=2, padding=1) for _ in range(sizes - 1)
        )
        self.score = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for _ in range(sizes))
        self.project = nn.Linear(condition, width) if condition else None

    def train(self, mode: bool = True) -> nn.Module:
        """Sets the mode of all but the features, which stay as they are."""
        super().train(mode)
        self.features.eval()
        return self

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        """condition: (B, `condition`); None for an unconditional discriminator."""
        check_condition(self, image, condition)
        x = leaky(self.first(self.features(image)))
        scores = [self.score[0](x)]
        for down, score in zip(self.down, self.score[1:]):
            x = leaky(down(x))
            scores.append(score(x))
        total = torch.stack([score.mean((1, 2, 3)) for score in scores]).sum(0)
        if self.project is None:
            return total
        return total + (x.mean((2, 3)) * self.project(condition)).sum(1) / sqrt(x.shape[1])
