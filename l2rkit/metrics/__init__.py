"""Metrics of faces, pictures and generators."""

from .albedo import AlbedoErrors
from .correlation import DepthCorrelation
from .cross_view import CrossViewErrors
from .cross_view_render import CrossViewRenderErrors
from .depth import DepthErrors, mad, side
from .face_depth import FaceDepthErrors
from .face_region import FaceRegionErrors
from .fine_normal import FaceNormalErrors, FineNormalErrors
from .generator import GeneratorDistance
from .normal import NormalErrors
from .photo import PhotoErrors, psnr, ssim
from .plausible import Symmetry, TurnedIdentity
from .pose import PoseErrors
from .render import RenderErrors
from .retrieval import FaceRetrieval
from .shape import ShapeErrors

__all__ = [
    "AlbedoErrors",
    "CrossViewErrors",
    "CrossViewRenderErrors",
    "DepthCorrelation",
    "DepthErrors",
    "FaceDepthErrors",
    "FaceNormalErrors",
    "FaceRegionErrors",
    "FaceRetrieval",
    "FineNormalErrors",
    "GeneratorDistance",
    "NormalErrors",
    "PhotoErrors",
    "PoseErrors",
    "RenderErrors",
    "ShapeErrors",
    "Symmetry",
    "TurnedIdentity",
    "mad",
    "psnr",
    "side",
    "ssim",
]
