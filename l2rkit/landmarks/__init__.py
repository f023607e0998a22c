from .face_mesh import FaceMesh
