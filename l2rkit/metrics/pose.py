"""Errors of the predicted pose."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.registry import METRICS

from ..landmarks.pose import canonical_points
from ..structures import Scene
from .figures import ImageFigures

AXES = ("pitch", "yaw", "roll")  # turns about x, y and z, as in a view


@METRICS.register_module()
class PoseErrors(ImageFigures):
    """Predicted yaw, pitch and roll against those of the clean photo's landmarks.

    `yaw_error` and so on: absolute difference in degrees, mean over photos. `yaw_correlation` and
    so on: Pearson's coefficient over the photos, 0 where the prediction does not vary. A method's
    frontal face may be tilted against the mean face, so the mean difference is subtracted first.

    The batch's `landmarks_3d` (B, 468, 3) px are the truth, as `FindLandmarks` finds them.
    """

    names = tuple(f"{axis}_error" for axis in ("yaw", "pitch", "roll"))

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        (scene,) = data_samples
        size = data_batch["photo"].shape[-1]
        true, _ = canonical_points(data_batch["landmarks_3d"].cpu().double(), size)
        found = scene.face.view.detach().cpu().double()
        rows = torch.cat([found[:, :3], true[:, :3]], 1).rad2deg()
        self.results += [tuple(row) for row in rows.tolist()]

    def compute_metrics(self, results: list) -> dict[str, float]:
        found, true = np.split(np.array(results), 2, axis=1)
        difference = found - true
        errors = dict(zip(AXES, np.abs(difference - difference.mean(0)).T))
        order = [name.removesuffix("_error") for name in self.names]
        report = super().compute_metrics(list(zip(*(errors[axis].tolist() for axis in order))))
        for column, axis in enumerate(AXES):
            spread = found[:, column].std() * true[:, column].std()
            together = np.mean(
                (found - found.mean(0))[:, column] * (true - true.mean(0))[:, column]
            )
            report[f"{axis}_correlation"] = float(together / spread) if spread > 1e-9 else 0.0
        return report
