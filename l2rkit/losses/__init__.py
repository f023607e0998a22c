"""What training makes small."""

from .albedo import AlbedoRegularity
from .consistency import RelaxedConsistency
from .cycle import CycleConsistency
from .displacement import Displacement
from .features import MobileNetFeatures, VGG16Features
from .identity import Identity
from .landmarks import LandmarkDistillation
from .moved import MovedPhotos
from .perceptual import Perceptual
from .photometric import Photometric
from .relief import Relief
from .teacher import LikeTeacher
from .true_geometry import TrueGeometry
from .upright import Upright
from .view import CentredViews

__all__ = [
    "AlbedoRegularity",
    "CentredViews",
    "CycleConsistency",
    "Displacement",
    "Identity",
    "LandmarkDistillation",
    "LikeTeacher",
    "MobileNetFeatures",
    "MovedPhotos",
    "Perceptual",
    "Photometric",
    "RelaxedConsistency",
    "Relief",
    "TrueGeometry",
    "Upright",
    "VGG16Features",
]
