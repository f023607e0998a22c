"""Networks that say who is on a photo, as codes whose cosine is high for two photos of a person.

`FaceEmbedding` is for losses: gradients reach the photo. `FaceRes` is the judge, for metrics alone.
Nothing is trained, chosen or stopped early against the judge. Both are in `MODELS`.
"""

from .face_embedding import FaceEmbedding
from .face_res import FaceRes

__all__ = ["FaceEmbedding", "FaceRes"]
