"""Identity embeddings: codes of faces, whose cosine is high for two photos of one person.

`FaceEmbedding` is for losses: gradients reach the photo. `FaceRes`, the judge, is for metrics only:
no training, model selection or early stopping uses it. Both are in `MODELS`.
"""

from .face_embedding import FaceEmbedding
from .face_res import FaceRes

__all__ = ["FaceEmbedding", "FaceRes"]
