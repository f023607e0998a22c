"""A better picture before the face is taken apart: 2D restoration as pre-processing."""

from .realesrgan import RealESRGAN
from .resample import Resample

__all__ = ["RealESRGAN", "Resample"]
