"""A pipeline step that finds landmarks."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from l2rkit.io.files import cached_array
from l2rkit.registry import MODELS


@TRANSFORMS.register_module()
class FindLandmarks(BaseTransform):
    """Adds `landmarks_3d` (468, 3) px of `img`, an aligned crop; see `l2rkit.landmarks.FaceMesh`.

    It goes after steps that crop, and before `Degrade`, for landmarks of the clean photo.
    `ResizeFace` and `FlipFace` transform the landmarks with the photo.

    Args:
        landmarks: detector, uint8 photos → (B, 468, 3); default: `FaceMesh`.
        cache: folder in which landmarks are kept between epochs and runs, 6 KB per photo. The key
            is the photo's pixels and the part's description. Several processes may share it.
    """

    def __init__(
        self,
        landmarks: dict | Callable[[list[np.ndarray]], np.ndarray] | None = None,
        cache: str | None = None,
    ) -> None:
        landmarks = dict(type="l2rkit.landmarks.FaceMesh") if landmarks is None else landmarks
        self.landmarks = MODELS.build(landmarks)
        version = getattr(self.landmarks, "VERSION", 0)
        self.known = sha256(f"{landmarks} {version}".encode()).digest()
        self.cache = None if cache is None else Path(cache)
        if self.cache is not None:
            self.cache.mkdir(parents=True, exist_ok=True)

    def transform(self, results: dict) -> dict:
        return dict(results, landmarks_3d=self._found(results["img"]))

    def _found(self, photo: np.ndarray) -> np.ndarray:
        if self.cache is None:
            return self.landmarks([photo])[0]
        key = sha256(self.known + repr(photo.shape).encode() + photo.tobytes())
        place = self.cache / key.hexdigest()
        return cached_array(place, lambda: self.landmarks([photo])[0]).reshape(-1, 3)
