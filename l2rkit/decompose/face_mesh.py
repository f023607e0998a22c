"""The keypoint baseline: view and shape from landmarks, the photo itself as albedo. No training."""

from collections.abc import Callable

import numpy as np
import torch
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..face import Face, Light
from ..geometry import normals, rotation
from ..landmarks.pose import canonical_points
from ..landmarks.surface import canonical_depth
from ..registry import DECOMPOSERS
from ..render.shading import shading
from ..render.warp import carried_back

DARKEST = 0.3  # shading by which a colour is divided at the most
RIDGE = 0.02  # how much the light is held towards none, as a share of the pixels


@DECOMPOSERS.register_module()
class FaceMeshDecomposer(nn.Module):
    """A face from the landmarks of a photo: what a keypoint network gives without any restoration.

    View by Procrustes, canonical depth through the landmarks, continued smoothly outside the face.
    The albedo is the photo, warped onto the canonical face and divided by the shading of a light
    that is fitted to it; parts that the view hides repeat what hides them.

    Args:
        image_size: pixels of the photo and of the canonical maps.
        landmarks: part that finds them in uint8 photos, as `FaceMesh` does, which is the default.
    """

    supervision = ("keypoint",)

    def __init__(
        self,
        image_size: int = 128,
        landmarks: dict | Callable[[list[np.ndarray]], np.ndarray] | None = None,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        landmarks = dict(type="FaceMesh") if landmarks is None else landmarks
        self.landmarks = MODELS.build(landmarks) if isinstance(landmarks, dict) else landmarks

    def forward(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in `photo` (B, 3, image_size, image_size); `person` is not used."""
        size = self.image_size
        if photo.shape[1:] != (3, size, size):
            wanted = f"(B, 3, {size}, {size})"
            raise ValueError(f"FaceMeshDecomposer wants photos {wanted}, not {tuple(photo.shape)}")
        found = torch.from_numpy(self.landmarks(to_pictures(photo))).to(photo)
        view, points = canonical_points(found, size)
        depth, region = canonical_depth(points, size)
        colour, across = carried_back(photo, depth, view), normals(depth)
        towards = -(rotation(view[:, :3])[:, 2, :, None, None] * across).sum(1, keepdim=True)
        light = fitted_light(colour, across, region * towards.clamp(min=0))
        shaded = shading(across, light).clamp(min=DARKEST)
        return Face(depth, (colour / shaded).clamp(0, 1), light, view)


def to_pictures(photo: Tensor) -> list[np.ndarray]:
    """(H, W, 3) uint8 each: photos (B, 3, H, W) in [0, 1]."""
    pixels = (photo.detach().float().clamp(0, 1) * 255).round().byte()
    return list(pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy())


def fitted_light(colour: Tensor, normal: Tensor, weight: Tensor) -> Light:
    """The light under which a grey face of these normals is as bright as the picture.

    colour, normal (B, 3, H, W); weight (B, 1, H, W), how much a pixel counts. Least squares in
    `ambient + diffuse * normal . direction`, scaled so that the mean shading is 1; what is painted
    darker on one side is taken for shadow.
    """
    grey = colour.mean(1).flatten(1)[..., None]
    share = weight.flatten(1)[..., None]
    share = share / share.sum(1, keepdim=True).clamp(min=1e-6)
    terms = torch.cat([torch.ones_like(grey), normal.flatten(2).mT], 2)
    mean = (share * grey).sum(1, keepdim=True).clamp(min=1e-3)
    held = torch.diag(terms.new_tensor([0, RIDGE, RIDGE, RIDGE]))
    squares = terms.mT @ (share * terms) + held + 1e-6 * torch.eye(4).to(terms)
    fit = torch.linalg.solve(squares, terms.mT @ (share * grey / mean))[..., 0]
    slope = fit[:, 1:]
    slope = torch.cat([slope[:, :2], slope[:, 2:].clamp(max=-0.05)], 1)  # from ahead, if barely
    diffuse = slope.norm(dim=1).clamp(max=1)
    direction = normalize(slope, dim=1)
    facing = (normal * direction[..., None, None]).sum(1).clamp(min=0).flatten(1)
    bright = (share[..., 0] * facing).sum(1) * diffuse
    return Light((1 - bright).clamp(min=DARKEST), diffuse, direction)
