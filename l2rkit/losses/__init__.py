"""What training makes small."""

from .features import MobileNetFeatures, VGG16Features
from .perceptual import Perceptual
from .photometric import Photometric
from .relief import Relief
from .teacher import LikeTeacher
from .upright import Upright
from .view import CentredViews

__all__ = [
    "CentredViews",
    "LikeTeacher",
    "MobileNetFeatures",
    "Perceptual",
    "Photometric",
    "Relief",
    "Upright",
    "VGG16Features",
]
