"""Distillation from trained models."""

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ..geometry import reflected, reflected_view
from ..ops.resize import aligned
from ..registry import LOSSES, MODELS
from ..structures import Face, Scene


@LOSSES.register_module()
class Distillation(nn.Module):
    """Mean absolute difference from the predictions of trained teachers. Ours.

    A teacher sees the clean photo, resized to its own input size; its maps are resized to the
    student's. The target is the mean over teachers, and over the photo and its mirror image, so
    independent errors average out. Depth has weight 10, as its range is a tenth of the others'.
    A person's shared face is compared with the same targets.

    Args:
        teachers: weights by config: a file, or the name of shipped ones. They are frozen.
        weight: of the loss; at 0 no teacher runs.
        mirror: whether teachers also see the mirrored photo.
        albedo: weight of the albedo.
    """

    def __init__(
        self,
        teachers: dict[str, str],
        weight: float = 1.0,
        mirror: bool = False,
        albedo: float = 1.0,
    ) -> None:
        super().__init__()
        described = [
            dict(type="PretrainedReconstructor", config=config, weights=file)
            for config, file in teachers.items()
        ]
        self.teachers = nn.ModuleList(map(MODELS.build, described)).eval().requires_grad_(False)
        self.weight, self.mirror, self.albedo = weight, mirror, albedo

    def forward(self, scene: Scene) -> Tensor:
        if not self.weight:
            return scene.target.new_zeros(())
        return self.weight * self.difference(scene)

    def difference(self, scene: Scene) -> Tensor:
        """The loss without its weight."""
        student = scene.face
        depth, albedo, light, view = self.targets(scene.target, student.size)
        maps = [student] if student.consistent is None else [student, student.consistent]
        terms = [
            *(10 * l1_loss(m.depth, depth) for m in maps),
            *(self.albedo * l1_loss(m.albedo, albedo) for m in maps),
            l1_loss(student.light.packed(), light),
            l1_loss(student.view, view),
        ]
        return torch.stack(terms).sum()

    @torch.no_grad()
    def targets(self, photo: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The mean depth (B, 1, S, S), albedo (B, 3, S, S), light (B, 5) and view (B, 6)."""
        guesses = []
        for teacher in self.teachers:
            guesses.append(_maps_at(teacher.face(photo), size))
            if self.mirror:
                guesses.append(_maps_at(reflected(teacher.face(photo.flip(-1))), size))
        return tuple(torch.stack(each).mean(0) for each in zip(*guesses, strict=True))

    def train(self, mode: bool = True) -> "Distillation":
        """Leaves the teachers in evaluation mode."""
        return super().train(False)


@LOSSES.register_module()
class ViewDistillation(Distillation):
    """`Distillation` of the view alone, which is cheap. Ours.

    Args:
        teachers, weight, mirror: those of `Distillation`. A teacher's decomposer predicts views by
            themselves: it has `predict_view`.
    """

    def __init__(self, teachers: dict[str, str], weight: float = 1.0, mirror: bool = False) -> None:
        super().__init__(teachers, weight, mirror)

    def difference(self, scene: Scene) -> Tensor:
        return l1_loss(scene.face.view, self.target(scene.target))

    @torch.no_grad()
    def target(self, photo: Tensor) -> Tensor:
        """(B, 6): the mean view of photos (B, 3, H, W)."""
        guesses = [teacher.view(photo) for teacher in self.teachers]
        if self.mirror:
            guesses += [reflected_view(teacher.view(photo.flip(-1))) for teacher in self.teachers]
        return torch.stack(guesses).mean(0)


def _maps_at(face: Face, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    depth, albedo = (aligned(maps, size) for maps in (face.depth, face.albedo))
    return depth, albedo, face.light.packed(), face.view
