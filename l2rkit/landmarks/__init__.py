"""468 landmarks of a face, and the pose, shape and region that follow from them."""

from .correction import LandmarkCorrection
from .face_mesh import FaceMesh, Region

__all__ = ["FaceMesh", "LandmarkCorrection", "Region"]
