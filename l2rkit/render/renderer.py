"""The default renderer: grid rasterizer, inverse warp, Lambertian shading."""

from torch import nn

from ..face import Face, Rendering
from ..geometry import normals
from ..registry import RENDERERS
from .grid import rasterize_grid
from .shading import shade
from .warp import covered, sample_canonical, warp_depth


@RENDERERS.register_module()
class GridRenderer(nn.Module):
    """Renders a face into its view at the size of its maps, on the CPU.

    Passes gradients to depth, albedo, light and view, except through silhouettes: which triangle a
    pixel sees is taken as fixed.
    """

    def forward(self, face: Face) -> Rendering:
        depth = warp_depth(face.depth, face.view, face.size, rasterize_grid)
        canonical = shade(face.albedo, normals(face.depth), face.light)
        return Rendering(sample_canonical(canonical, depth, face.view), covered(depth), depth)
