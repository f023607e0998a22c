"""Errors of the predicted shape, and of its deviation from the mean shape."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmengine.registry import METRICS
from torch import Tensor
from torch.nn.functional import grid_sample

from ..landmarks.face_mesh import eye_distance
from ..landmarks.points import MEAN_FACE, OVAL
from ..landmarks.pose import canonical_points, project_points
from ..landmarks.surface import canonical_depth
from ..structures import Scene
from .figures import ImageFigures

MARGIN = 1.1  # a point counts if it is inside the outline when scaled by this from the middle


def inner_points() -> np.ndarray:
    """(P,): indices of the mean face's points that lie well inside its outline; see `MARGIN`."""
    flat = MEAN_FACE[:, :2] / MEAN_FACE[:, 2:]
    outline = np.float32(flat[OVAL])
    middle = (outline.min(0) + outline.max(0)) / 2
    farther = np.float64(middle + MARGIN * (flat - middle))
    within = [cv2.pointPolygonTest(outline, tuple(point), False) > 0 for point in farther]
    return np.flatnonzero(within)


INSIDE = inner_points()


@METRICS.register_module()
class ShapeErrors(ImageFigures):
    """Error of canonical depth against that of the clean photo's landmarks. Ours.

    Depths are compared in the canonical frame, so pose does not count, at the mean face's points
    that are well inside its outline.

    `shape_error`: root mean square difference after the best scale and offset for each photo, in
    percent of the distance between the person's outer eye corners.

    `explained_shape`: the share of people's *deviation from the mean shape* that is explained. Each
    photo's mean depth is subtracted first. One scale for all photos then fits the predicted mean
    shape to the true one. With true deviations d and predicted ones d', each from its own mean
    shape, it is 1 - sum |d - d'|^2 / sum |d|^2. 1 is perfect; one face for everybody scores 0;
    wrong deviations score below 0.

    The batch's `landmarks_3d` (B, 468, 3) px are the truth, as `FindLandmarks` finds them.
    """

    names = ("shape_error", "explained_shape")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        (scene,) = data_samples
        size = data_batch["photo"].shape[-1]
        _, points = canonical_points(data_batch["landmarks_3d"].cpu().double(), size)
        true = at_mean_face(canonical_depth(points.float(), size)[0]).double()
        found = at_mean_face(scene.face.depth.detach().cpu().float()).double()
        unit = torch.as_tensor(eye_distance(points.numpy()))[:, None]
        self.results += list(torch.cat([found, true, unit], 1).unbind())

    def compute_metrics(self, results: list) -> dict[str, float]:
        table = torch.stack(results).numpy()
        found, true, unit = table[:, : len(INSIDE)], table[:, len(INSIDE) : -1], table[:, -1]
        found, true = (depth - depth.mean(1, keepdims=True) for depth in (found, true))
        square = (found**2).sum(1)
        scale = np.where(square > 1e-12, (found * true).sum(1) / np.maximum(square, 1e-12), 0)
        error = 100 * np.sqrt(np.mean((scale[:, None] * found - true) ** 2, 1)) / unit
        mean_found, mean_true = found.mean(0), true.mean(0)
        common = mean_found @ mean_true / max(mean_found @ mean_found, 1e-12)
        missed = ((true - mean_true - common * (found - mean_found)) ** 2).sum(1)
        deviation = max(float(np.mean(((true - mean_true) ** 2).sum(1))), 1e-12)
        explained = 1 - missed / deviation  # per photo; the mean is the share over all photos
        if len(table) < 2:  # one face is the mean face, and nothing deviates
            explained[:] = np.nan
        return super().compute_metrics(list(zip(error.tolist(), explained.tolist())))


def at_mean_face(depth: Tensor) -> Tensor:
    """(B, P): canonical depth (B, 1, S, S) at the mean face's points `INSIDE`."""
    size = depth.shape[-1]
    places = project_points(torch.as_tensor(MEAN_FACE[INSIDE])[None].to(depth), size)[..., :2]
    grid = (places / ((size - 1) / 2) - 1)[:, None].expand(len(depth), -1, -1, -1)
    return grid_sample(depth, grid, mode="bilinear", align_corners=True)[:, 0, 0]
