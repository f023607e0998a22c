"""Trained models show another one the way."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss

from ..config import load_model
from ..ops.transfer import constant
from ..registry import LOSSES
from ..structures import MIRRORED_LIGHT, MIRRORED_VIEW, Face, Scene
from ..zoo import weight_file


@LOSSES.register_module()
class Distillation(nn.Module):
    """Mean absolute difference from what trained models make of the same photo. Ours.

    A teacher sees the photo at its own size; its maps are brought to the student's. Of several, and
    of the photo in a mirror, the middle is learnt: errors that they do not share cancel. Depth
    counts ten times, as its range is a tenth of the others'. What photos of a person share is held
    to the same maps, of which it learns the middle. A student that is shown a bad photo is held to
    what its teachers make of the good one.

    Args:
        teachers: by config, their weights: a file, or the name of shipped ones. They stay frozen.
        weight: factor of the whole; at 0 no teacher is asked.
        mirror: whether they are asked about the photo in a mirror too.
        albedo: factor of the albedo's difference.
    """

    def __init__(
        self,
        teachers: dict[str, str],
        weight: float = 1.0,
        mirror: bool = False,
        albedo: float = 1.0,
    ) -> None:
        super().__init__()
        models = (load_model(c, weight_file(w)) for c, w in teachers.items())
        self.teachers = nn.ModuleList(models).eval().requires_grad_(False)
        self.weight, self.mirror, self.albedo = weight, mirror, albedo

    def forward(self, scene: Scene) -> Tensor:
        if not self.weight:
            return scene.target.new_zeros(())
        student = scene.face
        depth, albedo, light, view = self.targets(scene.target, student.size)
        maps = [student] if student.consistent is None else [student, student.consistent]
        terms = [
            *(10 * l1_loss(m.depth, depth) for m in maps),
            *(self.albedo * l1_loss(m.albedo, albedo) for m in maps),
            l1_loss(student.light.packed(), light),
            l1_loss(student.view, view),
        ]
        return self.weight * torch.stack(terms).sum()

    @torch.no_grad()
    def targets(self, photo: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The mean depth (B, 1, S, S), albedo (B, 3, S, S), light (B, 5) and view (B, 6)."""
        guesses = []
        for teacher in self.teachers:
            guesses.append(_apart(teacher.face(photo), size))
            if self.mirror:
                depth, albedo, light, view = _apart(teacher.face(photo.flip(-1)), size)
                turned = (
                    light * constant(MIRRORED_LIGHT, light),
                    view * constant(MIRRORED_VIEW, view),
                )
                guesses.append((depth.flip(-1), albedo.flip(-1), *turned))
        return tuple(torch.stack(each).mean(0) for each in zip(*guesses, strict=True))

    def train(self, mode: bool = True) -> "Distillation":
        """Leaves the teachers in evaluation mode."""
        return super().train(False)


def _apart(face: Face, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    depth, albedo = (
        interpolate(each, size=(size, size), mode="bilinear") for each in (face.depth, face.albedo)
    )
    return depth, albedo, face.light.packed(), face.view
