"""A pose-conditioned discriminator separates novel-view renderings from real photos.

The paper's statement (introduction): albedo and geometry are optimised mutually, through rendering,
with a 3D-aware adversarial loss. The details are ours: a face is rendered in the view of another
photo of the batch, and the discriminator gets that view as a condition, so it can detect flat noses
and smeared cheeks. It sees only the middle of the face, as the rest is no part of the model.
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

R1_EVERY = 16  # steps between regularisations
TURN, SHIFT = radians(30), 0.05  # scale of each number of the view in the condition
WINDOW = 0.85, 0.95  # half axes of the ellipse on the canonical face, in halves of its size
BEHIND = 0.5  # colour outside of the ellipse


@dataclass(frozen=True, eq=False)
class DiscriminatorInput:
    """Input of the discriminator: image (B, 3, H, W); view (B, 6) as a condition, or None."""

    image: Tensor
    view: Tensor | None

    def detached(self) -> "DiscriminatorInput":
        return replace(self, image=self.image.detach())


@MODELS.register_module()
class Adversary(HostBuffers):
    """The adversarial loss and the discriminator's own; used only in training.

    Args:
        discriminator: image, view → score (B,), such as `StyleGAN2Discriminator(condition=6)`;
            without a condition it gets no view.
        weight: of the generator loss.
        r1: weight of R1 (Mescheder et al., ICML 2018), every 16th step.
        turned: renders faces in other photos' views; False is a 2D adversary, in their own views.
    """

    host_buffers = ("step",)
    needs_rendering = True

    def __init__(
        self,
        discriminator: dict | nn.Module,
        weight: float = 0.1,
        r1: float = 1.0,
        turned: bool = True,
    ) -> None:
        super().__init__()
        self.discriminator = MODELS.build(discriminator)
        numbers = getattr(self.discriminator, "condition", None) or 0
        if numbers not in (0, 6):
            raise PartError(f"Adversary: a discriminator's condition is a view (6), not {numbers}")
        self.sees_view = numbers > 0
        self.weight, self.r1, self.turned = weight, r1, turned
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def discriminator_inputs(self, scene: Scene) -> tuple[DiscriminatorInput, DiscriminatorInput]:
        """The rendered faces, with gradients, and the photos, as discriminator inputs."""
        face = scene.face
        drawn, own = face, scene.rendering
        if self.turned:
            drawn = face.with_view(face.view.detach()[another(scene)])
            own = scene.render(drawn)
        real = Rendering(scene.target, scene.rendering.mask, scene.rendering.depth)
        return self._discriminator_input(own, drawn), self._discriminator_input(real, face)

    def generator_loss(self, fake: DiscriminatorInput) -> Tensor:
        """The generator loss, a scalar: small if renderings are scored as photos."""
        return self.weight * softplus(-self._scores(fake)).mean()

    def discriminator_loss(
        self, fake: DiscriminatorInput, real: DiscriminatorInput
    ) -> dict[str, Tensor]:
        """The discriminator's `loss`, and its mean scores for the log."""
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
        if not self.sees_view:
            return DiscriminatorInput(image, None)
        return DiscriminatorInput(
            image, face.view.detach() / constant([TURN] * 3 + [SHIFT] * 3, face.view)
        )

    def _scores(self, pictures: DiscriminatorInput) -> Tensor:
        return self._score(pictures.image, pictures.view).float()

    def _score(self, image: Tensor, view: Tensor | None) -> Tensor:
        return self.discriminator(image) if view is None else self.discriminator(image, view)

    def _gradient_penalty(self, real: DiscriminatorInput) -> Tensor:
        """R1: mean over photos of the squared gradient of the score by the image in [-1, 1]."""
        image = real.image.detach().float().requires_grad_()
        with torch.autocast(image.device.type, enabled=False):
            score = self._score(image, real.view)
        return input_gradient(score, image).square().sum((1, 2, 3)).mean()


def another(scene: Scene) -> Tensor:
    """(B,): a random permutation of the batch, the other photo for each photo."""
    return torch.randperm(len(scene.target)).to(scene.target.device, non_blocking=True)


def ellipse(size: int) -> Tensor:
    """(1, 1, size, size): 1 on the middle of a canonical face, else 0."""
    line = torch.linspace(-1, 1, size)
    wide, high = WINDOW
    inside = (line[None, :] / wide) ** 2 + (line[:, None] / high) ** 2 < 1
    return inside.float()[None, None]
