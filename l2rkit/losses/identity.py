"""The drawn face must look like the same person."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from ..face import Scene
from ..registry import LOSSES


@LOSSES.register_module()
class Identity(nn.Module):
    """1 minus the cosine between embeddings of the drawn face and of the photo, 0..2.

    Args:
        embedding: (B, 3, H, W) in [0, 1] → (B, D), any network of persons; its weights are frozen.
        weight: factor of the whole.
    """

    def __init__(self, embedding: dict | nn.Module, weight: float = 1.0) -> None:
        super().__init__()
        self.embedding = LOSSES.build(embedding).eval().requires_grad_(False)
        self.weight = weight

    def forward(self, scene: Scene) -> Tensor:
        mask = scene.own.mask
        with torch.no_grad():
            photo = self.embedding(scene.photo * mask)
        drawn = self.embedding(scene.own.image.clamp(0, 1) * mask)
        return self.weight * (1 - cosine_similarity(drawn, photo, dim=1)).mean()

    def train(self, mode: bool = True) -> "Identity":
        """Leaves the embedding in evaluation mode."""
        return super().train(False)
