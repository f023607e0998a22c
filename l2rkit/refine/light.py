"""Light taken out of an albedo that was restored with it. Ours."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from ..geometry import normals
from ..landmarks.points import MEAN_FACE
from ..landmarks.surface import mesh_depth
from ..registry import REFINERS
from ..render.light import fitted_light, without_light
from ..render.shading import shade
from ..render.unwrap import visibility
from ..structures import Face


@REFINERS.register_module()
class FittedLight(nn.Module):
    """The same look from the light that fits it best, and an albedo without that light's shading.

    A grey face of the refined shape, so lit, is as bright as the look on the mean face's region
    (least squares, ambient and one direction); the look is divided by its shading. It looks as
    before under its own light, but for colours that would be brighter than white, and can be lit
    from elsewhere. Nothing is learnt; gradients reach albedo and depth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.regions: dict[int, Tensor] = {}

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: with the albedo and light that it looks like; photo (B, 3, H, W) gives its size."""
        across = normals(face.depth)
        look = shade(face.albedo, across, face.light)
        shown = visibility(face.depth, face.view, photo.shape[-1])
        light = fitted_light(look, across, self._region(face) * shown)
        return replace(face, albedo=without_light(look, across, light), light=light)

    def _region(self, face: Face) -> Tensor:
        """(1, 1, S, S): 1 on the mean face."""
        if face.size not in self.regions:
            self.regions[face.size] = mesh_depth(torch.from_numpy(MEAN_FACE)[None], face.size)[1]
        return self.regions[face.size].to(face.depth, non_blocking=True)
