"""Landmarks as a step of a pipeline."""

from collections.abc import Callable

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import MODELS, TRANSFORMS


@TRANSFORMS.register_module()
class FindLandmarks(BaseTransform):
    """Adds `landmarks_3d` (468, 3) px of `img`, an aligned crop; see `l2rkit.landmarks.FaceMesh`.

    Put it before `Degrade`, for landmarks of the good photo. `ResizeFace` and `FlipFace` carry them
    along; put it after what crops.

    Args:
        landmarks: part that finds them in uint8 photos; left out, `FaceMesh`.
    """

    def __init__(
        self, landmarks: dict | Callable[[list[np.ndarray]], np.ndarray] | None = None
    ) -> None:
        landmarks = dict(type="l2rkit.landmarks.FaceMesh") if landmarks is None else landmarks
        self.landmarks = MODELS.build(landmarks) if isinstance(landmarks, dict) else landmarks

    def transform(self, results: dict) -> dict:
        return dict(results, landmarks_3d=self.landmarks([results["img"]])[0])
