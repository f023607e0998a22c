"""The Python API: reconstructs faces from photos and writes their files."""

from .inferencer import FaceInferencer
from .reconstruction import Collection, Reconstruction
from .reconstructor import Reconstructor, reconstruct

__all__ = ["Collection", "FaceInferencer", "Reconstruction", "Reconstructor", "reconstruct"]
