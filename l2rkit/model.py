"""The line as code: restore, decompose, refine, render, losses."""

from functools import partial

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from .adversary import Adversary
from .errors import PartError
from .geometry import aligned
from .ops.gradients import still
from .ops.precision import checked_precision, in_precision
from .ops.resize import resized
from .registry import DECOMPOSERS, LOSSES, REFINERS, RENDERERS, RESTORERS
from .structures import Face, Scene, Truth

BATCH = ("photo", "person", "clean", "landmarks_3d")  # what a model takes of a batch
TRUTH = ("depth", "normal", "mask")  # what supervised losses take


class FaceReconstructor(BaseModel):
    """Photos to faces to pictures; a method is a choice of its parts.

    Args:
        decompose: takes the photo apart.
        render: puts the face together again; None where only the face itself is trained.
        losses: parts by name, each `scene → scalar`; needed only for training.
        restore: repairs the photo in 2D first, by weights that it brings with it; left out, the
            photo is used as it is.
        refine: parts by name that improve the face, in turn, after it was taken apart; they see
            the photo as it is, the decomposer sees it at its own size.
        adversary: an `Adversary`, to train against; its optimizer is called `adversary`, that of
            all else `others`, see `OptimizerForEach`.
        mirror: whether losses see the face's mirror image, too, which costs a second rendering.
        precision: "bfloat16" or "float16" of the networks that restore, decompose and refine;
            weights, renderer and losses keep float32, which None keeps throughout.

    Each part is built, or described by a dict with its `type`.
    """

    def __init__(
        self,
        decompose: dict | nn.Module,
        render: dict | nn.Module | None,
        losses: dict[str, dict | nn.Module] | None = None,
        restore: dict | nn.Module | None = None,
        refine: dict[str, dict | nn.Module] | None = None,
        adversary: dict | nn.Module | None = None,
        mirror: bool = True,
        precision: str | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.precision = checked_precision("FaceReconstructor", precision)
        self.mirror = mirror
        self.restore = RESTORERS.build(restore)
        self.decompose = DECOMPOSERS.build(decompose)
        self.refine = nn.ModuleDict({k: REFINERS.build(v) for k, v in (refine or {}).items()})
        self.render = RENDERERS.build(render)
        self.losses = nn.ModuleDict({k: LOSSES.build(v) for k, v in (losses or {}).items()})
        self.adversary: Adversary | None = LOSSES.build(adversary)

    def forward(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks_3d: Tensor | None = None,
        mode: str = "tensor",
        **labels: object,
    ) -> Face | dict[str, Tensor] | list[Scene]:
        """MMEngine's door: the face, the losses, or the scene of `photo` (B, 3, H, W).

        `clean` (B, 3, H, W), if the batch has it, is what a degraded `photo` was made of, at which
        the losses aim; `landmarks_3d` (B, 468, 3) px are that photo's, for losses that learn from
        keypoints. `labels` are what else a batch carries: ground truth for metrics, and the
        `truth` of a scene (depth, normal, mask) for losses that ask for it; never for the parts.
        """
        truth = None
        if all(key in labels for key in TRUTH):
            truth = Truth(*(labels[key] for key in TRUTH))
        calls = {
            "tensor": self.face,
            "loss": partial(self.loss, clean=clean, landmarks=landmarks_3d, truth=truth),
            "predict": self.predict,
        }
        return calls[mode](photo, person)

    def face(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in each photo."""
        with in_precision(self.precision, photo):
            seen = photo if self.restore is None else self.restored(photo)
            side = getattr(self.decompose, "image_size", seen.shape[-1])
            face = self.decompose(aligned(seen, side), person)
            for refine in self.refine.values():
                face = refine(face, seen)
        return face

    def follow(self, fidelity: float) -> None:
        """From now on, refiners that can trade the photo against a prior do so, 0..1.

        Raises:
            PartError: it is out of range, or no refiner has a `fidelity`.
        """
        if not 0 <= fidelity <= 1:
            raise PartError(f"fidelity is within 0..1, not {fidelity}")
        able = [part for part in self.refine.values() if hasattr(part, "fidelity")]
        if not able:
            raise PartError("no refiner of this method has a fidelity to its photo")
        for part in able:
            part.fidelity = fidelity

    @property
    def image_size(self) -> int:
        """Pixels of the photos that it makes the most of: the largest of what its parts want."""
        parts = [self.decompose, *self.refine.values()]
        return max(getattr(part, "image_size", 0) for part in parts)

    def restored(self, photo: Tensor) -> Tensor:
        """The photo repaired in 2D, back at its own size if the restorer enlarges."""
        return resized(self.restore(photo).float(), tuple(photo.shape[2:]), "area")

    def scene(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks: Tensor | None = None,
        truth: Truth | None = None,
    ) -> Scene:
        """The face in each photo, how it looks as it is and mirrored, and the means to go on."""
        face = self.face(photo, person)
        aim = photo if clean is None else clean
        if self.render is None:
            return Scene(aim, face, None, look=self.face, landmarks=landmarks, truth=truth)
        own, mirrored = self.render(face), self.render(face.mirrored()) if self.mirror else None
        return Scene(aim, face, own, mirrored, self.render, self.face, landmarks, truth)

    def loss(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks: Tensor | None = None,
        truth: Truth | None = None,
    ) -> dict[str, Tensor]:
        """Each loss under the name `loss_<its key>`; MMEngine sums them."""
        return self.losses_of(self.scene(photo, person, clean, landmarks, truth))

    def losses_of(self, scene: Scene) -> dict[str, Tensor]:
        return {f"loss_{name}": part(scene) for name, part in self.losses.items()}

    def train_step(
        self, data: dict, optim_wrapper: OptimWrapper | OptimWrapperDict
    ) -> dict[str, Tensor]:
        """MMEngine's door: the face learns from a batch, and then the adversary, if there is one.

        The adversary stands still while it is being fooled, and learns from the same pictures.
        """
        if self.adversary is None:
            return super().train_step(data, optim_wrapper)
        batch = self.data_preprocessor(data, True)
        scene = self.scene(*(batch.get(key) for key in BATCH))
        with in_precision(self.precision, scene.photo):
            made, real = self.adversary.pictures(scene)
            with still(self.adversary):
                fooled = {"loss_adversary": self.adversary.fooled(made)}
        total, report = self.parse_losses(self.losses_of(scene) | fooled)
        optim_wrapper["others"].update_params(total)
        with in_precision(self.precision, scene.photo):
            lesson = self.adversary.lesson(made, real)
        optim_wrapper["adversary"].update_params(lesson["loss"])
        learnt = {f"adversary_{name}": value.detach() for name, value in lesson.items()}
        return report | learnt

    @torch.no_grad()
    def predict(self, photo: Tensor, person: Tensor | None = None) -> list[Scene]:
        """The scene of the whole batch, without mirror; in a list, as MMEngine's evaluator asks."""
        face = self.face(photo, person)
        return [Scene(photo, face, None if self.render is None else self.render(face))]
