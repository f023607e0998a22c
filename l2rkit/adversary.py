"""The 3D-aware adversary: it tells faces, drawn in other views, from photos taken in such views.

The paper's statement (introduction): albedo and geometry are optimised mutually, through rendering,
with a 3D-aware adversarial loss. How is ours: a face is drawn in the view of another photo of the
batch, and the discriminator is told the view, so that a flat nose or a smeared cheek gives it away.
It sees what of a picture lies on the middle of the face: behind it there is nothing to judge.
"""

from dataclasses import dataclass, replace
from math import radians

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from .errors import PartError
from .ops.gradients import input_gradient
from .ops.transfer import HostBuffers, constant
from .registry import MODELS
from .render.warp import warp_to_view
from .structures import Face, Rendering, Scene

R1_EVERY = 16  # steps from one regularisation to the next
TURN, SHIFT = radians(30), 0.05  # what counts as 1 in the view that the discriminator is told
WINDOW = 0.85, 0.95  # half axes of the ellipse on the canonical face, in halves of its size
BEHIND = 0.5  # colour around it


@dataclass(frozen=True, eq=False)
class DiscriminatorInput:
    """What the discriminator is shown: image (B, 3, H, W); view (B, 6) as told, or None."""

    image: Tensor
    view: Tensor | None

    def detached(self) -> "DiscriminatorInput":
        return replace(self, image=self.image.detach())


@MODELS.register_module()
class Adversary(HostBuffers):
    """Judges drawn faces; learns from photos. A part of `FaceReconstructor`, for training alone.

    Args:
        discriminator: image, view → score (B,), such as `StyleGAN2Discriminator(condition=6)`;
            without a condition it is told no view.
        weight: of its say in what the face learns.
        r1: weight of R1 (Mescheder et al., ICML 2018), every 16th step.
        turned: faces are drawn in other photos' views; else in their own, as a 2D adversary has it.
    """

    host_buffers = ("step",)

    def __init__(
        self,
        discriminator: dict | nn.Module,
        weight: float = 0.1,
        r1: float = 1.0,
        turned: bool = True,
    ) -> None:
        super().__init__()
        self.discriminator = MODELS.build(discriminator)
        told = self.discriminator.condition
        if told not in (0, 6):
            raise PartError(f"Adversary: a discriminator is told 6 numbers of a view, not {told}")
        self.weight, self.r1, self.turned = weight, r1, turned
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def discriminator_inputs(self, scene: Scene) -> tuple[DiscriminatorInput, DiscriminatorInput]:
        """The scene's faces as drawn, with gradients, and its photos."""
        face = scene.face
        drawn, own = face, scene.rendering
        if self.turned:
            drawn = face.with_view(face.view.detach()[another(scene)])
            own = scene.render(drawn)
        real = Rendering(scene.target, scene.rendering.mask, scene.rendering.depth)
        return self._discriminator_input(own, drawn), self._discriminator_input(real, face)

    def generator_loss(self, fake: DiscriminatorInput) -> Tensor:
        """How far the discriminator is from taking what was drawn for photos, a scalar."""
        return self.weight * softplus(-self._scores(fake)).mean()

    def discriminator_loss(
        self, fake: DiscriminatorInput, real: DiscriminatorInput
    ) -> dict[str, Tensor]:
        """The discriminator's own `loss`, and for the log its mean scores."""
        fake_scores, real_scores = self._scores(fake.detached()), self._scores(real)
        loss = softplus(fake_scores).mean() + softplus(-real_scores).mean()
        if self.r1 and self.step % R1_EVERY == 0:
            loss = loss + R1_EVERY * self.r1 / 2 * self._gradient_penalty(real)
        self.step += 1
        return {"loss": loss, "score_fake": fake_scores.mean(), "score_real": real_scores.mean()}

    def _discriminator_input(self, seen: Rendering, face: Face) -> DiscriminatorInput:
        with torch.no_grad():
            window = ellipse(face.size).to(seen.image, non_blocking=True)
            window = window.expand(len(face), 1, -1, -1)
            window = warp_to_view(window, seen.depth, face.view) * seen.mask
        image = seen.image * window + BEHIND * (1 - window)
        if not self.discriminator.condition:
            return DiscriminatorInput(image, None)
        return DiscriminatorInput(
            image, face.view.detach() / constant([TURN] * 3 + [SHIFT] * 3, face.view)
        )

    def _scores(self, pictures: DiscriminatorInput) -> Tensor:
        return self.discriminator(pictures.image, pictures.view).float()

    def _gradient_penalty(self, real: DiscriminatorInput) -> Tensor:
        """Mean over photos of the squared derivative of the score by the image in [-1, 1]."""
        image = real.image.detach().float().requires_grad_()
        with torch.autocast(image.device.type, enabled=False):
            score = self.discriminator(image, real.view)
        return input_gradient(score, image).square().sum((1, 2, 3)).mean()


def another(scene: Scene) -> Tensor:
    """(B,): for each photo the number of one of the batch, a permutation drawn anew."""
    return torch.randperm(len(scene.target)).to(scene.target.device, non_blocking=True)


def ellipse(size: int) -> Tensor:
    """(1, 1, size, size): 1 on the middle of a canonical face, else 0."""
    line = torch.linspace(-1, 1, size)
    wide, high = WINDOW
    inside = (line[None, :] / wide) ** 2 + (line[:, None] / high) ** 2 < 1
    return inside.float()[None, None]
