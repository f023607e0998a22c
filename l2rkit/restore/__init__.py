"""2D restoration of photos, before the face is decomposed."""

from .dfdnet import DFDNet
from .face_restorer import FaceRestorer
from .realesrgan import RealESRGAN
from .resample import Resample
from .self_ensemble import SelfEnsemble
from .spandrel import Spandrel
from .trainer import PhotoRestorer

__all__ = [
    "DFDNet",
    "FaceRestorer",
    "PhotoRestorer",
    "RealESRGAN",
    "Resample",
    "SelfEnsemble",
    "Spandrel",
]
