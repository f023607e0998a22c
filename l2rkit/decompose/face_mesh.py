"""The keypoint baseline: view and shape from landmarks, albedo from the photo. No training."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import PartError
from ..geometry import normals, rotation
from ..landmarks.pose import canonical_points
from ..landmarks.surface import fair_depth
from ..ops.resize import resized
from ..registry import DECOMPOSERS, MODELS, RESTORERS
from ..render.light import fitted_light, without_light
from ..render.warp import warp_to_canonical
from ..structures import Face
from .photos import check_photo


@DECOMPOSERS.register_module()
class FaceMeshDecomposer(nn.Module):
    """A face from the landmarks of a photo.

    View by Procrustes; a smooth canonical depth through the landmarks, continued outside the face.
    The albedo is the photo, warped onto the canonical face and divided by the shading of a light
    that is fitted to it; hidden parts repeat the colours of what hides them.

    Args:
        image_size: pixels of the photo and of the canonical maps.
        landmarks: part that finds them in uint8 photos; default: `FaceMesh`.
        restore: 2D restorer applied to the photo for landmarks and albedo, or None. Refiners still
            see the original photo.
        correct: part that corrects view and points by features of the restorer, such as
            `LandmarkCorrection`, or None; it needs a `FaceRestorer` as `restore`.
    """

    supervision = ("keypoint",)

    def __init__(
        self,
        image_size: int = 128,
        landmarks: dict | Callable[[list[np.ndarray]], np.ndarray] | None = None,
        restore: dict | nn.Module | None = None,
        correct: dict | nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        landmarks = dict(type="FaceMesh") if landmarks is None else landmarks
        self.restore = RESTORERS.build(restore)
        self.correct = MODELS.build(correct)
        if self.correct is not None and getattr(self.restore, "change_features", None) is None:
            raise PartError("FaceMeshDecomposer: correct requires a FaceRestorer as restore")
        if self.correct is not None and image_size != self.restore.image_size:
            expected = self.restore.image_size
            raise PartError(f"FaceMeshDecomposer corrects at {expected} px, not at {image_size}")
        self.landmarks = MODELS.build(landmarks)

    def forward(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in `photo` (B, 3, image_size, image_size); `person` is not used."""
        check_photo(self, photo)
        bad, size = photo, self.image_size
        if self.restore is not None:
            with torch.no_grad():
                photo = resized(self.restore(bad).float(), (size, size), "area").clamp(0, 1)
        found = torch.from_numpy(self.landmarks(to_pictures(photo))).to(photo)
        view, points = canonical_points(found, size)
        if self.correct is not None:
            with torch.no_grad():
                view, points = self.correct(view, points, self.restore.change_features(bad, photo))
        depth, region = fair_depth(points, size)
        colour, across = warp_to_canonical(photo, depth, view), normals(depth)
        towards = -(rotation(view[:, :3])[:, 2, :, None, None] * across).sum(1, keepdim=True)
        light = fitted_light(colour, across, region * towards.clamp(min=0))
        return Face(depth, without_light(colour, across, light), light, view, region=region)


def to_pictures(photo: Tensor) -> list[np.ndarray]:
    """(H, W, 3) uint8 each: photos (B, 3, H, W) in [0, 1]."""
    pixels = (photo.detach().float().clamp(0, 1) * 255).round().byte()
    return list(pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy())
