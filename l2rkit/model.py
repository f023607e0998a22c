"""The line as code: restore, decompose, refine, render, losses."""

from functools import partial

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from .adversary import Adversary
from .errors import PartError, of_mode
from .geometry import aligned
from .ops.gradients import frozen
from .ops.precision import checked_precision, in_precision
from .ops.resize import resized
from .ops.transfer import PREPROCESSOR, on_host
from .registry import DECOMPOSERS, LOSSES, MODELS, REFINERS, RENDERERS, RESTORERS
from .structures import Face, Scene, Truth

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
        precision: str | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor or PREPROCESSOR)
        self.precision = checked_precision("FaceReconstructor", precision)
        self.restore = RESTORERS.build(restore)
        self.decompose = DECOMPOSERS.build(decompose)
        self.refine = nn.ModuleDict({k: REFINERS.build(v) for k, v in (refine or {}).items()})
        self.render = RENDERERS.build(render)
        self.losses = nn.ModuleDict({k: LOSSES.build(v) for k, v in (losses or {}).items()})
        self.adversary: Adversary | None = MODELS.build(adversary)

    def forward(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks_3d: Tensor | None = None,
        mode: str = "tensor",
        **labels: object,
    ) -> Face | Scene | dict[str, Tensor] | list[Scene]:
        """MMEngine's door: face, losses, or scene of `photo` (B, 3, H, W), as trained or measured.

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
            "scene": partial(self.scene, clean=clean, landmarks=landmarks_3d, truth=truth),
            "loss": partial(self.loss, clean=clean, landmarks=landmarks_3d, truth=truth),
            "predict": self.predict,
        }
        return of_mode(self, mode, calls)(photo, person)

    def face(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in each photo."""
        with in_precision(self.precision, photo):
            seen = photo if self.restore is None else self.restored(photo)
            side = getattr(self.decompose, "image_size", seen.shape[-1])
            face = checked_face(self.decompose, self.decompose(aligned(seen, side), person))
            for refine in self.refine.values():
                face = checked_face(refine, refine(face, seen))
        return face

    def set_fidelity(self, fidelity: float) -> None:
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
        return resized(checked_photo(self.restore, photo), tuple(photo.shape[2:]), "area")

    def scene(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks: Tensor | None = None,
        truth: Truth | None = None,
    ) -> Scene:
        """The face in each photo, how it looks, and the means to go on.

        Its mirror image is rendered, too, if a loss states `needs_mirrored`.
        """
        face = self.face(photo, person)
        aim = photo if clean is None else clean
        if self.render is None:
            return Scene(aim, face, None, reconstruct=self.face, landmarks=landmarks, truth=truth)
        asked = any(getattr(part, "needs_mirrored", False) for part in self.losses.values())
        own, mirrored = self.render(face), self.render(face.mirrored()) if asked else None
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
        """Each loss, by the name that it has in the log.

        Raises:
            PartError: one is no number to follow.
        """
        return {f"loss_{n}": checked_loss(part, part(scene)) for n, part in self.losses.items()}

    def train_step(
        self, data: dict, optim_wrapper: OptimWrapper | OptimWrapperDict
    ) -> dict[str, Tensor]:
        """MMEngine's door: the face learns from a batch, and then the adversary, if there is one.

        The adversary stands still while it is being fooled, and learns from the same pictures.
        """
        batch = self.data_preprocessor(data, True)
        own = optim_wrapper if self.adversary is None else optim_wrapper["others"]
        with own.optim_context(self):
            scene = self(**batch, mode="scene")
            losses = self.losses_of(scene)
            if self.adversary is not None:
                with in_precision(self.precision, scene.target):
                    fake, real = self.adversary.discriminator_inputs(scene)
                    with frozen(self.adversary):
                        losses["loss_adversary"] = self.adversary.generator_loss(fake)
        total, report = self.parse_losses(losses)
        own.update_params(total)
        if self.adversary is None:
            return on_host(report)
        with in_precision(self.precision, scene.target):
            discriminator_loss = self.adversary.discriminator_loss(fake, real)
        optim_wrapper["adversary"].update_params(discriminator_loss["loss"])
        learnt = {f"adversary_{name}": value for name, value in discriminator_loss.items()}
        return on_host(report | learnt)

    @torch.no_grad()
    def predict(self, photo: Tensor, person: Tensor | None = None) -> list[Scene]:
        """The scene of the whole batch, without mirror; in a list, as MMEngine's evaluator asks."""
        face = self.face(photo, person)
        return [Scene(photo, face, None if self.render is None else self.render(face))]


def checked_face(part: nn.Module, face: Face) -> Face:
    """What a decomposer or refiner gives, if it is a face.

    Raises:
        PartError: it is not.
    """
    if not isinstance(face, Face):
        raise PartError(f"{type(part).__name__} gives a {type(face).__name__}, not a Face")
    return face


def checked_loss(part: nn.Module, value: Tensor) -> Tensor:
    """What a loss gives, if it is one number that gradients can go through.

    Raises:
        PartError: it is not.
    """
    if not isinstance(value, Tensor):
        raise PartError(f"{type(part).__name__} gives a {type(value).__name__}, not a tensor")
    if value.dim() or not value.is_floating_point():
        got = f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
        raise PartError(f"{type(part).__name__} gives {got}, not one float")
    return value


def checked_photo(restore: nn.Module, photo: Tensor) -> Tensor:
    """The photo restored, in float32.

    Raises:
        PartError: the restorer gives no floats, whose range would not be [0, 1] either.
    """
    restored = restore(photo)
    if not isinstance(restored, Tensor) or not restored.is_floating_point():
        got = restored.dtype if isinstance(restored, Tensor) else type(restored).__name__
        raise PartError(f"{type(restore).__name__} gives {got}, not floats in [0, 1]")
    return restored.float()
