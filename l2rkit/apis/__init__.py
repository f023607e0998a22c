"""What users call: photos in, faces and their files out."""

from .inferencer import FaceInferencer
from .reconstruction import Collection, Reconstruction
from .reconstructor import Reconstructor, reconstruct

__all__ = ["Collection", "FaceInferencer", "Reconstruction", "Reconstructor", "reconstruct"]
