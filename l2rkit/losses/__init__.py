"""What training makes small."""

from .consistency import RelaxedConsistency
from .cycle import CycleConsistency
from .features import MobileNetFeatures, VGG16Features
from .perceptual import Perceptual
from .photometric import Photometric
from .relief import Relief
from .teacher import LikeTeacher
from .upright import Upright
from .view import CentredViews

__all__ = [
    "CentredViews",
    "CycleConsistency",
    "LikeTeacher",
    "MobileNetFeatures",
    "Perceptual",
    "Photometric",
    "RelaxedConsistency",
    "Relief",
    "Upright",
    "VGG16Features",
]
