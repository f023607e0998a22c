"""A better picture before the face is taken apart: 2D restoration as pre-processing."""

from .dfdnet import DFDNet
from .face_restorer import FaceRestorer
from .realesrgan import RealESRGAN
from .resample import Resample
from .spandrel import Spandrel
from .trainer import PhotoRestorer

__all__ = ["DFDNet", "FaceRestorer", "PhotoRestorer", "RealESRGAN", "Resample", "Spandrel"]
