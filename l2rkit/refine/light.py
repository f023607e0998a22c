"""Separates light from an albedo that was restored with it. Ours."""

from dataclasses import replace

from torch import Tensor, nn

from ..geometry import normals
from ..landmarks.surface import mean_face_region
from ..registry import REFINERS
from ..render.light import STRONGEST, fitted_light, without_light
from ..render.shading import shade
from ..render.unwrap import visibility
from ..structures import Face
from .unwrapped_albedo import UnwrappedAlbedo


@REFINERS.register_module()
class FittedLight(nn.Module):
    """The face under the light that fits its colours best, with that shading divided out.

    The light (ambient and one direction) is the least-squares fit of the shading of a grey face of
    the refined shape to the colours' brightness, on the mean face's region. Rendered under that
    light the face looks as before, except for albedos above white, which are clamped. Nothing is
    learnt; gradients reach albedo and depth.

    Args:
        strongest: limit of the diffuse light, of a mean shading of 1. The higher, the more light is
            taken out of the albedo of photos lit from one side, and the more noise of dark pixels
            is amplified.
    """

    def __init__(self, strongest: float = STRONGEST) -> None:
        super().__init__()
        if strongest < 0:
            raise ValueError(f"FittedLight: strongest is 0 or more, not {strongest}")
        self.strongest = strongest

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: with the albedo and light that it looks like; photo (B, 3, H, W) gives its size."""
        across = normals(face.depth)
        look = shade(face.albedo, across, face.light)
        shown = visibility(face.depth, face.view, photo.shape[-1])
        region = mean_face_region(face.size).to(face.depth, non_blocking=True)
        light = fitted_light(look, across, region * shown, self.strongest)
        return replace(face, albedo=without_light(look, across, light), light=light)


@REFINERS.register_module()
class UnlitAlbedo(UnwrappedAlbedo):
    """`UnwrappedAlbedo` from which the proxy's light is divided out; the face keeps that light.

    For a proxy whose light is better than a fit to one photo (`FittedLight`), such as that of
    networks which have learnt to explain many photos. The face looks as before, except for albedos
    above white, which are clamped, and where the light's shading is below 0.3, which would amplify
    noise; there it becomes darker. Arguments and weights are those of `UnwrappedAlbedo`.
    """

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: the proxy; photo (B, 3, H, W): its photo."""
        lit = super().forward(face, photo)  # whose albedo is what it looks like
        albedo = without_light(lit.albedo, normals(lit.depth), face.light)
        return replace(lit, albedo=albedo, light=face.light)
