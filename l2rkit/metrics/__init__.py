"""How good a face is, or a photo of it."""

from .albedo import AlbedoErrors
from .correlation import DepthCorrelation
from .cross_view import CrossViewErrors
from .cross_view_render import CrossViewRenderErrors
from .depth import DepthErrors, mad, side
from .generator import GeneratorDistance
from .normal import NormalErrors
from .photo import PhotoErrors, psnr, ssim
from .plausible import Symmetry, TurnedIdentity
from .render import RenderErrors

__all__ = [
    "AlbedoErrors",
    "CrossViewErrors",
    "CrossViewRenderErrors",
    "DepthCorrelation",
    "DepthErrors",
    "GeneratorDistance",
    "NormalErrors",
    "PhotoErrors",
    "RenderErrors",
    "Symmetry",
    "TurnedIdentity",
    "mad",
    "psnr",
    "side",
    "ssim",
]
