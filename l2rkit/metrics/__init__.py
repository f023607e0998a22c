"""How good a face is, or a photo of it."""

from .depth import DepthErrors, mad, side
from .generator import GeneratorDistance
from .identity import DlibIdentity
from .photo import PhotoErrors, psnr, ssim
from .render import RenderErrors

__all__ = [
    "DepthErrors",
    "DlibIdentity",
    "GeneratorDistance",
    "PhotoErrors",
    "RenderErrors",
    "mad",
    "psnr",
    "side",
    "ssim",
]
