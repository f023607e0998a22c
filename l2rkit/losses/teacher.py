"""A trained model shows a larger one the way."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss

from ..config import load_model
from ..face import Scene
from ..registry import LOSSES


@LOSSES.register_module()
class LikeTeacher(nn.Module):
    """Mean absolute difference from what a coarser model makes of the same photo. Ours.

    The teacher sees the photo at its own size; its maps are enlarged to the pupil's. Depth counts
    ten times, as its range is a tenth of the others'. What photos of a person share is held to the
    same maps, of which it learns the middle.

    Args:
        config, weights: of the teacher, which stays frozen.
        weight: factor of the whole; at 0 the teacher is not asked.
    """

    def __init__(self, config: str, weights: str, weight: float = 1.0) -> None:
        super().__init__()
        teacher = load_model(config, weights).decompose
        self.teacher = teacher.eval().requires_grad_(False)
        self.weight = weight

    def forward(self, scene: Scene) -> Tensor:
        if not self.weight:
            return scene.photo.new_zeros(())
        with torch.no_grad():
            face = self.teacher(_resize(scene.photo, self.teacher.image_size, "area"))
        pupil, size = scene.face, scene.face.size
        depth, albedo = (_resize(m, size, "bilinear") for m in (face.depth, face.albedo))
        maps = [pupil] if pupil.consistent is None else [pupil, pupil.consistent]
        terms = [
            *(10 * l1_loss(m.depth, depth) + l1_loss(m.albedo, albedo) for m in maps),
            l1_loss(pupil.light.packed(), face.light.packed()),
            l1_loss(pupil.view, face.view),
        ]
        return self.weight * torch.stack(terms).sum()

    def train(self, mode: bool = True) -> "LikeTeacher":
        """Leaves the teacher in evaluation mode."""
        return super().train(False)


def _resize(image: Tensor, size: int, mode: str) -> Tensor:
    return interpolate(image, size=(size, size), mode=mode)
