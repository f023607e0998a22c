"""The pipeline: restore, decompose, refine, render, losses."""

from dataclasses import replace
from functools import partial
from numbers import Real

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from .adversary import Adversary
from .collection import shared_face
from .errors import PartError, of_mode
from .ops.gradients import frozen
from .ops.precision import checked_precision, in_precision
from .ops.resize import aligned, resized
from .ops.transfer import PREPROCESSOR, on_host
from .registry import DECOMPOSERS, LOSSES, MODELS, REFINERS, RENDERERS, RESTORERS
from .structures import Face, Scene, Truth, each_tensor, joined

TRUTH = ("depth", "normal", "mask")  # ground truth for supervised losses
AT_ONCE = 16  # photos of a collection


class FaceReconstructor(BaseModel):
    """The model of every method: predicts faces from photos and renders them.

    Args:
        decompose: predicts the face from the photo, resized to the part's `image_size`.
        render: renders the face; None if losses and metrics compare the face itself.
        losses: parts by name, each `scene → scalar`; needed only for training.
        restore: restores the photo in 2D first; loads its own weights.
        refine: parts by name, applied in turn to the decomposed face and the original photo.
        adversary: an `Adversary` for training; its optimizer is called `adversary`, that of the
            other parts `others`, see `OptimizerForEach`.
        precision: "bfloat16" or "float16" for restorer, decomposer and refiners; weights,
            renderer and losses stay in float32. None: float32 throughout.

    Each part is a module, or a dict with its `type`.

    Raises:
        PartError: a loss or the adversary needs a renderer, and there is none.
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
        for part in (*self.losses.values(), self.adversary) if self.render is None else ():
            if getattr(part, "needs_rendering", False):
                raise PartError(f"{type(part).__name__} requires a renderer, not render=None")

    def forward(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks_3d: Tensor | None = None,
        mode: str = "tensor",
        **labels: object,
    ) -> Face | Scene | dict[str, Tensor] | list[Scene]:
        """MMEngine's entry point: face, losses or scenes of `photo` (B, 3, H, W), by `mode`.

        `clean` (B, 3, H, W) is the photo before degradation, the target of the losses;
        `landmarks_3d` (B, 468, 3) are its landmarks in px, for keypoint losses. `labels` are the
        other entries of the batch: ground truth for metrics, and `truth` (depth, normal, mask) for
        supervised losses. The parts do not see them.
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
            seen, small = self._seen(photo)
            face = checked_face(self.decompose, self.decompose(small, person))
            for refine in self.refine.values():
                face = checked_face(refine, refine(face, seen))
        return face

    def view(self, photo: Tensor) -> Tensor:
        """(B, 6): the view of each photo, without the rest of the face.

        Raises:
            PartError: the decomposer has no `predict_view`.
        """
        if not hasattr(self.decompose, "predict_view"):
            raise PartError(f"{type(self.decompose).__name__} predicts no view by itself")
        with in_precision(self.precision, photo):
            return self.decompose.predict_view(self._seen(photo)[1]).float()

    @torch.no_grad()
    def shares(self, photo: Tensor, person: Tensor) -> Tensor:
        """(B,): how much each photo counts among those of the same `person` (B,), 1 on average.

        By a decomposer of many photos; for methods that see each photo alone all are 1.
        """
        if not hasattr(self.decompose, "shares"):
            return photo.new_ones(len(photo))
        with in_precision(self.precision, photo):
            return self.decompose.shares(self._seen(photo)[1], person).float()

    def _seen(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """The photo, restored if there is a restorer; and the same at the decomposer's size."""
        seen = photo if self.restore is None else self.restored(photo)
        return seen, aligned(seen, getattr(self.decompose, "image_size", seen.shape[-1]))

    def set_fidelity(self, fidelity: float) -> None:
        """Sets `fidelity` of the refiners that have it: 1 trusts the photo, 0 the prior.

        Raises:
            PartError: it is out of range, or no refiner has a `fidelity`.
        """
        check_fidelity(fidelity)
        able = [part for part in self.refine.values() if hasattr(part, "fidelity")]
        if not able:
            raise PartError("no refiner of this method has a fidelity to its photo")
        for part in able:
            part.fidelity = fidelity

    @property
    def image_size(self) -> int:
        """Input resolution in px: the largest that any part needs, and the renderer's size.

        Raises:
            PartError: no part says one.
        """
        parts = [self.decompose, *self.refine.values()]
        rendered = getattr(self.render, "size", None) or 0
        largest = max(rendered, *(getattr(part, "image_size", None) or 0 for part in parts))
        if not largest:
            name = type(self.decompose).__name__
            raise PartError(f"neither {name}, a refiner nor the renderer states its size in px")
        return largest

    def restored(self, photo: Tensor) -> Tensor:
        """The photo restored in 2D, at its original size."""
        return resized(checked_photo(self.restore, photo), tuple(photo.shape[2:]), "area")

    def scene(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks: Tensor | None = None,
        truth: Truth | None = None,
    ) -> Scene:
        """The scene of each photo: the face, its rendering, and the functions that losses call.

        The mirror image is rendered only if a loss states `needs_mirrored`.
        """
        face = self.face(photo, person)
        aim = photo if clean is None else clean
        if self.render is None:
            return Scene(aim, face, None, reconstruct=self.face, landmarks=landmarks, truth=truth)
        asked = any(getattr(part, "needs_mirrored", False) for part in self.losses.values())
        own, mirrored = self.render(face), self.render(face.mirrored()) if asked else None
        return Scene(aim, face, own, mirrored, self.render, self.face, landmarks, truth)

    def loss(
        self, photo: Tensor, person: Tensor | None = None, **labels: Tensor | Truth | None
    ) -> dict[str, Tensor]:
        """Each loss under the name `loss_<its key>`; MMEngine sums them. `labels` as of `scene`."""
        return self.losses_of(self.scene(photo, person, **labels))

    def losses_of(self, scene: Scene) -> dict[str, Tensor]:
        """Each loss by its name in the log.

        Raises:
            PartError: a loss is not one float tensor.
        """
        return {f"loss_{n}": checked_loss(part, part(scene)) for n, part in self.losses.items()}

    def train_step(
        self, data: dict, optim_wrapper: OptimWrapper | OptimWrapperDict
    ) -> dict[str, Tensor]:
        """One optimisation step of the model and then of the adversary, if there is one.

        The adversary is frozen in the first step; both steps use the same renderings.
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
        """The scene of the batch without mirror image, in a list for MMEngine's evaluator."""
        return [self._predicted(photo, self.face(photo, person))]

    @torch.no_grad()
    def predict_collection(self, photo: Tensor, person: Tensor) -> Scene:
        """The scene of the batch, with the depth and albedo that photos of one person share.

        Equal `person` (B,) means the same person. A decomposer of many photos, one with `shares`,
        does that itself, except for what refiners add; for methods that see each photo alone, which
        they do in batches of `AT_ONCE`, it is `shared_face`.
        """
        if not hasattr(self.decompose, "shares"):
            alone = joined([self.face(some) for some in photo.split(AT_ONCE)])
            return self._predicted(photo, shared_face(alone, person, photo.shape[-1]))
        face = self.face(photo, person)
        if self.refine:
            refined = shared_face(face, person, photo.shape[-1])
            face = replace(face, consistent=refined.consistent)
        return self._predicted(photo, face)

    def _predicted(self, photo: Tensor, face: Face) -> Scene:
        return Scene(photo, face, None if self.render is None else self.render(face))


def check_fidelity(fidelity: object) -> None:
    """Raises PartError if a fidelity is no number within 0..1."""
    if not isinstance(fidelity, Real) or not 0 <= fidelity <= 1:
        raise PartError(f"fidelity is within 0..1, not {fidelity!r}")


def checked_face(part: nn.Module, face: Face) -> Face:
    """`face`, checked to be a `Face`, in float32: autocast is for the layers of parts alone.

    Raises:
        PartError: it is not.
    """
    if not isinstance(face, Face):
        raise PartError(f"{type(part).__name__} gives a {type(face).__name__}, not a Face")
    return each_tensor(face, Tensor.float)


def checked_loss(part: nn.Module, value: Tensor) -> Tensor:
    """`value`, checked to be one float with gradients.

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
        PartError: the restorer returned integers, whose range is not [0, 1].
    """
    restored = restore(photo)
    if not isinstance(restored, Tensor) or not restored.is_floating_point():
        got = restored.dtype if isinstance(restored, Tensor) else type(restored).__name__
        raise PartError(f"{type(restore).__name__} gives {got}, not floats in [0, 1]")
    return restored.float()
