"""The records of the pipeline (faces, renderings, scenes), and all conventions.

Images
    RGB in [0, 1], shape (B, 3, H, W). A network with another range converts its inputs.
Axes
    x to the right, y down, z away from the camera. Right-handed.
Camera
    A pinhole at the origin. Pixel centres are at the integers 0..W-1, the principal point is
    (W-1)/2, the field of view is `FIELD_OF_VIEW_DEG` across the width from the first pixel centre
    to the last, hence a focal length of (W-1)/2/tan(5 deg) pixels. Maps are square.
Depth
    z-depth, not distance. A face is centred at 1.0 and lies within `NEAR`..`FAR`; pixels
    without a surface have `BACKGROUND`.
Normals
    Unit length, facing the camera: z < 0.
Light
    Lambertian: `ambient + diffuse * max(0, normal . direction)`. The direction is a unit vector
    that points from the surface to the light, in the face's frame, so the light turns with the
    face; for a frontal face, (0, 0, -1) is a light at the camera.
View
    Three angles in radians, then three offsets. It maps canonical points to camera points:
    p' = R (p - c) + c + t with R = Rz Ry Rx and c = (0, 0, 1).
Canonical
    The frame of the centred frontal face, in which depth and albedo are predicted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from operator import itemgetter
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .errors import PartError

FIELD_OF_VIEW_DEG = 10.0
NEAR, FAR = 0.9, 1.1
BACKGROUND = 1.2
PIVOT = (0.0, 0.0, 1.0)
MIRRORED_VIEW = (1, -1, -1, -1, 1, 1)  # factors of rx, ry, rz, tx, ty, tz in a mirrored photo
MIRRORED_LIGHT = (1, 1, -1, 1, 1)  # factors of ambient, diffuse, dx, dy, dz
T = TypeVar("T", bound=Any)  # a dataclass


class OneLine:
    """A record whose `repr` is one line, with shapes in place of values."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_field_shapes(self))})"


@dataclass(frozen=True, eq=False, repr=False)
class Light(OneLine):
    """One directional light and an ambient one: ambient (B,), diffuse (B,), direction (B, 3)."""

    ambient: Tensor
    diffuse: Tensor
    direction: Tensor

    def __post_init__(self) -> None:
        batch = len(self.ambient)
        _check("Light.ambient", self.ambient, (batch,))
        _check("Light.diffuse", self.diffuse, (batch,))
        _check("Light.direction", self.direction, (batch, 3))

    def packed(self) -> Tensor:
        """(B, 5): ambient, diffuse, direction."""
        return torch.cat([self.ambient[:, None], self.diffuse[:, None], self.direction], 1)

    @classmethod
    def unpacked(cls, numbers: Tensor) -> "Light":
        """The inverse of `packed`; the direction becomes a unit vector."""
        return cls(numbers[:, 0], numbers[:, 1], normalize(numbers[:, 2:], dim=1))


@dataclass(frozen=True, eq=False, repr=False)
class Confidence(OneLine):
    """Predicted scale of the error per pixel; small where the photo is trusted.

    pixel (B, 2, H, W): scale of a Laplacian over colours, for the face and for its mirror image.
    feature (B, 2, h, w): scale of a Gaussian over perceptual features, likewise.
    """

    pixel: Tensor
    feature: Tensor

    def __post_init__(self) -> None:
        batch = len(self.pixel)
        _check("Confidence.pixel", self.pixel, (batch, 2, None, None))
        _check("Confidence.feature", self.feature, (batch, 2, None, None))


@dataclass(frozen=True, eq=False, repr=False)
class Consistent(OneLine):
    """The maps that all photos of one person share, repeated for each photo.

    depth (B, 1, H, W), albedo (B, 3, H, W): as in `Face`, without the photo's own part.
    """

    depth: Tensor
    albedo: Tensor

    def __post_init__(self) -> None:
        batch, size = len(self.depth), self.depth.shape[-1]
        _check("Consistent.depth", self.depth, (batch, 1, size, size))
        _check("Consistent.albedo", self.albedo, (batch, 3, size, size))

    def mirrored(self) -> "Consistent":
        """With its left and right halves exchanged."""
        return Consistent(self.depth.flip(-1), self.albedo.flip(-1))


@dataclass(frozen=True, eq=False, repr=False)
class Face(OneLine):
    """A batch of decomposed faces.

    depth (B, 1, H, W): canonical depth, displacement included.
    albedo (B, 3, H, W): canonical colour without light, in [0, 1].
    light: see `Light`.
    view (B, 6): three angles in radians, three offsets.
    displacement (B, 1, H, W): the share of `depth` that a refiner added, or None.
    confidence: see `Confidence`, or None.
    consistent: see `Consistent`, or None if each photo is handled by itself.
    region (B, 1, H, W): 1 where the canonical maps show the face itself, else 0; None if the
        decomposer does not know. Meshes and pictures of the face alone end there.
    """

    depth: Tensor
    albedo: Tensor
    light: Light
    view: Tensor
    displacement: Tensor | None = None
    confidence: Confidence | None = None
    consistent: Consistent | None = None
    region: Tensor | None = None

    def __post_init__(self) -> None:
        batch = len(self.depth)
        _check("Face.depth", self.depth, (batch, 1, None, None))
        size = self.depth.shape[-1]
        _check("Face.depth", self.depth, (batch, 1, size, size))
        _check("Face.albedo", self.albedo, (batch, 3, size, size))
        _check("Face.light", self.light.ambient, (batch,))
        _check("Face.view", self.view, (batch, 6))
        if self.displacement is not None:
            _check("Face.displacement", self.displacement, (batch, 1, size, size))
        if self.confidence is not None:
            _check("Face.confidence", self.confidence.pixel, (batch, 2, None, None))
        if self.consistent is not None:
            _check("Face.consistent", self.consistent.depth, (batch, 1, size, size))
        if self.region is not None:
            _check("Face.region", self.region, (batch, 1, size, size))

    def __len__(self) -> int:
        return len(self.depth)

    @property
    def size(self) -> int:
        """Pixels along one side of the canonical maps."""
        return self.depth.shape[-1]

    def mirrored(self) -> "Face":
        """The face with its left and right halves exchanged, under the same light and view."""
        displacement, consistent, region = self.displacement, self.consistent, self.region
        return replace(
            self,
            depth=self.depth.flip(-1),
            albedo=self.albedo.flip(-1),
            displacement=None if displacement is None else displacement.flip(-1),
            consistent=None if consistent is None else consistent.mirrored(),
            region=None if region is None else region.flip(-1),
        )

    def with_view(self, view: Tensor) -> "Face":
        """The same face in another view, (B, 6) or (6,)."""
        return replace(self, view=view.expand(len(self), 6))

    def with_light(self, light: Light) -> "Face":
        """The same face under another light."""
        return replace(self, light=light)


@dataclass(frozen=True, eq=False, repr=False)
class Rendering(OneLine):
    """The output of a renderer in the face's view: image (B, 3, H, W), mask, depth (B, 1, H, W).

    The image is not clamped, so that over-exposed pixels still pass gradients; the mask is 0 or 1,
    or between them at the edges of a picture for people; depth is `BACKGROUND` where it is 0.
    """

    image: Tensor
    mask: Tensor
    depth: Tensor

    def __post_init__(self) -> None:
        batch, _, *size = self.image.shape
        _check("Rendering.image", self.image, (batch, 3, *size))
        _check("Rendering.mask", self.mask, (batch, 1, *size))
        _check("Rendering.depth", self.depth, (batch, 1, *size))

    def on_white(self) -> Tensor:
        """(B, 3, H, W) in [0, 1]: the image where the mask is 1, white elsewhere."""
        return self.over(torch.ones_like(self.image))

    def over(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1]: the image where the mask is 1, else `picture` (B, 3, H, W)."""
        return (self.image * self.mask + picture * (1 - self.mask)).clamp(0, 1)


@dataclass(frozen=True, eq=False, repr=False)
class Truth(OneLine):
    """True geometry of synthetic heads, in the photo's view.

    depth (B, 1, H, W); normal (B, 3, H, W); mask (B, 1, H, W), 1 where they are valid.
    """

    depth: Tensor
    normal: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        batch, size = len(self.depth), self.depth.shape[-1]
        _check("Truth.depth", self.depth, (batch, 1, size, size))
        _check("Truth.normal", self.normal, (batch, 3, size, size))
        _check("Truth.mask", self.mask, (batch, 1, size, size))


@dataclass(frozen=True, eq=False, repr=False)
class Scene(OneLine):
    """The input of a loss: the target photo, the face, its rendering, and the model.

    target (B, 3, H, W): the clean photo; face: see `Face`; rendering: the rendered face, None if
    the model has no renderer; mirrored: the rendered mirror image, under the same light and view;
    render: renders another face; reconstruct: predicts the face in another photo. The last three
    are None outside training. landmarks (B, 468, 3): px of the clean photo, or None; truth: true
    geometry for supervised losses, or None.
    """

    target: Tensor
    face: Face
    rendering: Rendering | None
    mirrored: Rendering | None = None
    render: Callable[[Face], Rendering] | None = None
    reconstruct: Callable[[Tensor], Face] | None = None
    landmarks: Tensor | None = None
    truth: Truth | None = None

    def __post_init__(self) -> None:
        _check("Scene.face.view", self.face.view, (len(self.target), None))
        if self.landmarks is not None:
            _check("Scene.landmarks", self.landmarks, (len(self.target), None, 3))
        if self.rendering is not None:
            _check("Scene.rendering.image", self.rendering.image, tuple(self.target.shape))
        if self.mirrored is not None:
            _check("Scene.mirrored.image", self.mirrored.image, tuple(self.target.shape))

    @property
    def mask(self) -> Tensor:
        """(B, 1, H, W): 1 where the rendering, and the mirrored one if any, covers the photo."""
        mask = self.rendering.mask
        return mask if self.mirrored is None else mask * self.mirrored.mask


def on_cpu(record: T) -> T:
    """The record with all tensors on the CPU."""
    return each_tensor(record, Tensor.cpu)


def unbatched(record: T, count: int) -> list[T]:
    """`count` records of one face each, from the record of a batch."""
    return [each_tensor(record, itemgetter(slice(i, i + 1))) for i in range(count)]


def joined(records: Sequence[T]) -> T:
    """The record of a batch from those of its parts, in their order."""
    changed = {}
    for field in fields(records[0]):
        values = [getattr(record, field.name) for record in records]
        if isinstance(values[0], Tensor):
            changed[field.name] = torch.cat(values)
        elif is_dataclass(values[0]):
            changed[field.name] = joined(values)
    return replace(records[0], **changed)


def each_tensor(record: T, change: Callable[[Tensor], Tensor]) -> T:
    """The record with `change` applied to all tensors, also of nested records."""
    changed = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Tensor):
            value = change(value)
        elif is_dataclass(value):
            value = each_tensor(value, change)
        changed[field.name] = value
    return replace(record, **changed)


def _field_shapes(record: Any) -> list[str]:
    """`depth (1, 1, 64, 64)` for each field that is not None."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return [
        f"{name} {tuple(value.shape)}" if isinstance(value, Tensor) else f"{name} {value!r}"
        for name, value in values.items()
        if isinstance(value, (Tensor, OneLine))
    ]


def _check(name: str, value: Tensor, shape: tuple[int | None, ...]) -> None:
    got = tuple(value.shape)
    if len(got) != len(shape) or any(w is not None and w != g for w, g in zip(shape, got)):
        expected = ", ".join("*" if side is None else str(side) for side in shape)
        raise PartError(f"{name} must be ({expected}), not {got}")
