"""The line as code: restore, decompose, refine, render, losses."""

from collections.abc import Sequence
from functools import partial

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from .degrade.resize import resized
from .face import Face, Scene
from .registry import DECOMPOSERS, LOSSES, REFINERS, RENDERERS, RESTORERS
from .speed import checked_precision, in_precision


class FaceReconstructor(BaseModel):
    """Photos to faces to pictures; a method is a choice of its parts.

    Args:
        decompose: takes the photo apart.
        render: puts the face together again.
        losses: parts by name, each `scene → scalar`; needed only for training.
        restore: repairs the photo in 2D first, by weights that it brings with it; left out, the
            photo is used as it is.
        refine: parts that improve the face, in turn, after it was taken apart.
        precision: "bfloat16" or "float16" of the networks that restore, decompose and refine;
            weights, renderer and losses keep float32, which None keeps throughout.

    Each part is built, or described by a dict with its `type`.
    """

    def __init__(
        self,
        decompose: dict | nn.Module,
        render: dict | nn.Module,
        losses: dict[str, dict | nn.Module] | None = None,
        restore: dict | nn.Module | None = None,
        refine: Sequence[dict | nn.Module] = (),
        precision: str | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.precision = checked_precision("FaceReconstructor", precision)
        self.restore = RESTORERS.build(restore)
        self.decompose = DECOMPOSERS.build(decompose)
        self.refine = nn.ModuleList(REFINERS.build(part) for part in refine)
        self.render = RENDERERS.build(render)
        self.losses = nn.ModuleDict({k: LOSSES.build(v) for k, v in (losses or {}).items()})

    def forward(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        mode: str = "tensor",
        **labels: object,
    ) -> Face | dict[str, Tensor] | list[Scene]:
        """MMEngine's door: the face, the losses, or the scene of `photo` (B, 3, H, W).

        `clean` (B, 3, H, W), if the batch has it, is what a degraded `photo` was made of, at which
        the losses aim. `labels` are what else a batch carries: ground truth for metrics, never for
        the model.
        """
        calls = {
            "tensor": self.face,
            "loss": partial(self.loss, clean=clean),
            "predict": self.predict,
        }
        return calls[mode](photo, person)

    def face(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in each photo."""
        with in_precision(self.precision, photo):
            seen = photo if self.restore is None else self.restored(photo)
            face = self.decompose(seen, person)
            for refine in self.refine:
                face = refine(face, seen)
        return face

    def restored(self, photo: Tensor) -> Tensor:
        """The photo repaired in 2D, back at its own size if the restorer enlarges."""
        return resized(self.restore(photo), tuple(photo.shape[2:]), "area")

    def scene(
        self, photo: Tensor, person: Tensor | None = None, clean: Tensor | None = None
    ) -> Scene:
        """The face in each photo, how it looks as it is and mirrored, and the means to go on."""
        face = self.face(photo, person)
        own, mirrored = self.render(face), self.render(face.mirrored())
        aim = photo if clean is None else clean
        return Scene(aim, face, own, mirrored, self.render, self.face)

    def loss(
        self, photo: Tensor, person: Tensor | None = None, clean: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Each loss under the name `loss_<its key>`; MMEngine sums them."""
        scene = self.scene(photo, person, clean)
        return {f"loss_{name}": part(scene) for name, part in self.losses.items()}

    @torch.no_grad()
    def predict(self, photo: Tensor, person: Tensor | None = None) -> list[Scene]:
        """The scene of the whole batch, without mirror; in a list, as MMEngine's evaluator asks."""
        face = self.face(photo, person)
        return [Scene(photo, face, self.render(face))]
