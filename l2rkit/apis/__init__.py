"""What users call: photos in, faces and their files out."""

from .reconstruction import Collection, Reconstruction
from .reconstructor import Reconstructor, reconstruct

__all__ = ["Collection", "Reconstruction", "Reconstructor", "reconstruct"]
