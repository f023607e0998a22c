"""Cross-view depth errors: geometry seen in one photo, checked from the side.

As in figure 1(b) of the L2R paper on MICC: geometry is predicted from a photo at one of three yaws,
and compared with the true depth at the other two. We do not know more of the paper's protocol; the
rules of alignment are ours, and figures compare only with our own.
"""

import re
from collections.abc import Iterable, Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from torch import Tensor

from ..errors import DataError
from ..geometry import move, move_back, project, unproject
from ..ops.masked import masked_means
from ..render.grid import rasterize_grid
from ..render.warp import depth_of_faces
from ..structures import BACKGROUND, Scene
from .depth import mad, side
from .masks import common_mask, inner, truth_mask

REACH = 0.05  # largest shift of the moved face onto the true one, in widths of the picture
YAW = re.compile(r"[+-]\d{2,3}(?=(\.\w+)?$)")  # the yaw in a photo's name


def depth_from(points: Tensor, size: int) -> Tensor:
    """(B, 1, size, size): depth of the surface through `points` (B, 3, H, W), else `BACKGROUND`."""
    seen = project(points, size)
    face = rasterize_grid(seen.permute(0, 2, 3, 1), size)
    return depth_of_faces(seen, face).clamp(max=BACKGROUND)


def at_true_distance(points: Tensor, truth: Tensor) -> Tensor:
    """`points` (B, 3, H, W) scaled about the camera to the distance of `truth` (B, 1, H, W).

    This does not change the photo. Where both have a surface, the mean logarithm of depth becomes
    that of the truth.
    """
    depth = depth_from(points, truth.shape[-1])
    mask = common_mask(depth, truth)
    ratio = torch.where(mask > 0, truth.log() - depth.log(), 0)
    return points * masked_means(ratio, mask).exp().view(-1, 1, 1, 1)


def errors(depth: Tensor, truth: Tensor) -> Tensor:
    """(B, 3): SIDE x 100, MAD in degrees and the share of the true surface that was compared."""
    mask = common_mask(depth, truth)
    share = mask.sum((1, 2, 3)) / inner(truth_mask(truth)).sum((1, 2, 3)).clamp(min=1)
    return torch.stack([side(depth, truth, mask) * 100, mad(depth, truth, mask), share], 1)


def errors_shifted(depth: Tensor, truth: Tensor, reach: int) -> Tensor:
    """(B, 3): `errors` after the shift of least SIDE, by whole pixels, up to `reach` each way.

    Of the shifts, those count that compare at least half as much surface as any does: an overlap of
    one pixel has no error.
    """
    steps = range(-reach, reach + 1)
    tried = torch.stack([errors(shifted(depth, x, y), truth) for x in steps for y in steps])
    shares = tried[..., 2]
    enough = (shares > 0) & (shares >= shares.amax(0) / 2)
    cost = torch.where(enough, tried[..., 0], torch.inf)
    return tried[cost.argmin(0), torch.arange(len(depth))]


def shifted(depth: Tensor, right: int, down: int) -> Tensor:
    """A depth map (B, 1, H, W) shifted by whole pixels; what comes in is `BACKGROUND`."""
    height, width = depth.shape[-2:]
    moved = torch.full_like(depth, BACKGROUND)
    to = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    of = slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))
    moved[(..., *to)] = depth[(..., *of)]
    return moved


def rows(names: Sequence[str], *columns: Tensor) -> list[tuple[str | Tensor, ...]]:
    """For each photo of a batch: its name without the yaw, and its rows of `columns`."""
    parts = zip(*(column.detach().cpu().float() for column in columns))
    # clones: views would send the whole batch between processes
    return [(YAW.sub("", name), *(part.clone() for part in row)) for name, row in zip(names, parts)]


def photos_of(names: Iterable[str]) -> dict[str, list[int]]:
    """The indices of the photos of each face, by the names of `rows`."""
    faces: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        faces.setdefault(name, []).append(number)
    return faces


# Distinguished by the photo's yaw.
SPLIT = ("side", "mad", "own_side", "own_mad")


@METRICS.register_module()
class CrossViewErrors(BaseMetric):
    """SIDE x 100, MAD in degrees and coverage of a face in the other photos of it.

    For each photo A, mean over the others B of the same face, whose names differ by the yaw alone
    (`test-000012+45`, `james_image_-45.png`). Batches carry `depth` and `view` of each photo.

    - `side`, `mad`: by the true relative view. The face in A's predicted view is scaled about the
      camera to its true distance in A, which a photo does not show, and turned by the true relative
      view. Nothing is fitted in B.
    - `predicted_side`, `predicted_mad`: A's canonical face in the view predicted for B. A photo
      does not show where the canonical face lies in its frame. So the face is shifted in the
      picture by whole pixels, at most 5 % of the width each way, to the least SIDE.
    - `own_side`, `own_mad`: in A itself, as in `DepthErrors`, for comparison.

    `frontal_` and `turned_` are `side` and `own_side` over the most frontal photo of each face and
    over the others; `flat_` is `side` of constant depth 1 in the true view. Depth maps are moved as
    surfaces without holes, including streaks at their edges.

    After an evaluation `each` holds the figures of every photo, in order; NaN where rendering
    and truth do not overlap.

    Raises:
        DataError: a photo is the only one of its face.
    """

    default_prefix = ""
    names = tuple(
        f"{way}{figure}"
        for way in ("", "predicted_", "own_", "flat_")
        for figure in ("side", "mad", "coverage")
    )
    each: dict[str, Sequence[float]] = {}

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        (scene,) = data_samples
        face = scene.face
        columns = (
            face.depth,
            face.view,
            scene.rendering.depth,
            data_batch["depth"],
            data_batch["view"],
        )
        self.results += rows(data_batch["name"], *columns)

    def compute_metrics(self, results: list) -> dict[str, float]:
        faces = photos_of(name for name, *_ in results)
        table, frontal = torch.empty(len(results), len(self.names)), torch.zeros(len(results)) > 0
        for name, members in faces.items():
            if len(members) < 2:
                raise DataError(f"CrossViewErrors requires more than one view of '{name}'")
            parts = [torch.stack(part) for part in zip(*(results[i][1:] for i in members))]
            table[members] = figures(*parts)
            turn = parts[-1][:, 1].abs()
            frontal[members] = turn <= turn.amin() + 1e-3
        self.each = dict(zip(self.names, table.T.tolist()))
        report = {name: column.mean().item() for name, column in zip(self.names, table.T)}
        for word, some in (("frontal_", frontal), ("turned_", ~frontal)):
            if some.any():
                means = dict(zip(self.names, table[some].mean(0).tolist()))
                report |= {word + name: means[name] for name in SPLIT}
        spread = table.std(0).nan_to_num().tolist()
        return report | {
            f"{name}_std": std for name, std in zip(self.names, spread) if "flat" not in name
        }


def figures(canonical: Tensor, view: Tensor, own: Tensor, truth: Tensor, true: Tensor) -> Tensor:
    """(V, 12): the figures of the V photos of one face, each against the others.

    canonical (V, 1, H, W): predicted depth; view (V, 6): predicted; own (V, 1, H, W): the predicted
    depth as seen in its own photo; truth (V, 1, H, W) and true (V, 6): the true depth and view.
    """
    count, size = len(truth), truth.shape[-1]
    a, b = ((1 - torch.eye(count)) > 0).nonzero().unbind(1)
    points, reach = unproject(canonical), round(REACH * size)
    flat = unproject(torch.ones_like(canonical))
    placed = at_true_distance(move(points, view), truth)
    level = at_true_distance(move(flat, true), truth)
    ways = (
        errors(depth_from(turned(placed[a], true[a], true[b]), size), truth[b]),
        errors_shifted(depth_from(move(points[a], view[b]), size), truth[b], reach),
        errors(own, truth),
        errors(depth_from(turned(level[a], true[a], true[b]), size), truth[b]),
    )
    # no overlap: unknown
    ways = [torch.where(way[:, 2:] > 0, way, torch.nan) for way in ways]
    over = [way.view(count, -1, 3).mean(1) for way in ways]
    return torch.cat(over, 1)


def turned(points: Tensor, away: Tensor, to: Tensor) -> Tensor:
    """`points` (B, 3, H, W) moved from view `away` (B, 6) to view `to`."""
    return move(move_back(points, away), to)
