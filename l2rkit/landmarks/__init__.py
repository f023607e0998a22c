"""468 points of a face: found in a photo, and what follows from them."""

from .correction import LandmarkCorrection
from .face_mesh import FaceMesh, Region

__all__ = ["FaceMesh", "LandmarkCorrection", "Region"]
