"""Identity loss: the rendered face must show the same person."""

from math import radians

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from ..errors import PartError
from ..identity import FaceRes
from ..identity.aligned import aligned_crops, points_of
from ..registry import LOSSES, MODELS
from ..structures import Scene


@LOSSES.register_module()
class Identity(nn.Module):
    """1 minus the cosine between embeddings of the rendered face and of the photo, 0..2.

    Args:
        embedding: (B, 3, H, W) in [0, 1] → (B, D), such as `FaceEmbedding`; its weights are frozen.
            Not `FaceRes`, the judge, which is for metrics only and passes no gradient.
        weight: of the loss.
        turned: weight of the same for the face rendered on white at a random yaw and aligned there
            by the mean face's landmarks; 0 is off.
        turn_deg: largest such yaw, to either side of the frontal view.

    Raises:
        PartError: the embedding is the judge.
    """

    needs_rendering = True

    def __init__(
        self,
        embedding: dict | nn.Module,
        weight: float = 1.0,
        turned: float = 0.0,
        turn_deg: float = 45.0,
    ) -> None:
        super().__init__()
        embedding = MODELS.build(embedding)
        if isinstance(embedding, FaceRes):
            raise PartError("nothing is trained against FaceRes, the judge: take FaceEmbedding")
        self.embedding = embedding.eval().requires_grad_(False)
        self.weight, self.turned, self.turn_deg = weight, turned, turn_deg

    def forward(self, scene: Scene) -> Tensor:
        mask = scene.rendering.mask
        with torch.no_grad():
            photo = self.embedding(scene.target * mask)
        drawn = self.embedding(scene.rendering.image.clamp(0, 1) * mask)
        off = (1 - cosine_similarity(drawn, photo, dim=1)).mean()
        if self.turned:
            off = off + self.turned * self._turned(scene)
        return self.weight * off

    def _turned(self, scene: Scene) -> Tensor:
        """1 minus the cosine for turned views, against the whole photo."""
        share = 2 * torch.rand(len(scene.target)) - 1
        view = torch.zeros_like(scene.face.view)
        view[:, 1] = radians(self.turn_deg) * share.to(view, non_blocking=True)
        with torch.no_grad():
            photo = self.embedding(scene.target)
        turned = scene.face.with_view(view)
        picture = scene.render(turned).on_white()
        drawn = self.embedding(aligned_crops(picture, points_of(turned, picture.shape[-1])))
        return (1 - cosine_similarity(drawn, photo, dim=1)).mean()

    def train(self, mode: bool = True) -> "Identity":
        """Leaves the embedding in evaluation mode."""
        return super().train(False)
