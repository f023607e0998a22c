"""SIDE and MAD as in Unsup3D's released code, and those of constant depth maps.

Both compare depth in the photo's view where prediction and truth both have a surface, each mask
eroded by one pixel.
"""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from torch import Tensor

from ..geometry import normals
from ..ops.masked import masked_means
from ..structures import Scene
from .masks import common_mask, inner, known, truth_mask


def side(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B,): scale-invariant depth error, the deviation of log(depth / truth) over the mask.

    depth, truth, mask (B, 1, H, W). Multiply by 100 for the usual unit.
    """
    difference = torch.where(mask > 0, depth.log() - truth.log(), 0)
    mean = masked_means(difference, mask)
    return masked_means((difference - mean[:, None, None, None]).square(), mask).sqrt()


def mad(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B,): mean angle between the normals of `depth` and of `truth` over the mask, in degrees."""
    cosine = (normals(depth) * normals(truth)).sum(1, keepdim=True).clamp(-1, 1)
    return masked_means(cosine.acos().rad2deg(), mask)


def mean_depth(truth: Tensor) -> Tensor:
    """(1, 1, H, W): mean depth per pixel over the images that cover it."""
    mask = truth_mask(truth)
    count = mask.sum(0, keepdim=True)
    seen = (truth * mask).sum(0, keepdim=True) / count.clamp(min=1)
    return torch.where(count > 0, seen, seen[count > 0].mean())


@METRICS.register_module()
class DepthErrors(BaseMetric):
    """SIDE x 100 and MAD in degrees: mean and standard deviation over images.

    Also `coverage`, the share of the true surface that was compared, and the same errors of
    constant depth (`flat_`) and of the mean ground-truth depth (`mean_depth_`).

    After an evaluation `each` holds the figures of every image, in order. They are NaN for an image
    on which prediction and truth have no pixel in common.
    """

    default_prefix = ""
    each: dict[str, Sequence[float]] = {}

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        truth = data_batch["depth"].cpu().float()
        (scene,) = data_samples
        depth = scene.rendering.depth.detach().cpu().float()
        mask = common_mask(depth, truth)
        shares = mask.sum((1, 2, 3)) / inner(truth_mask(truth)).sum((1, 2, 3))
        found = (side(depth, truth, mask) * 100, mad(depth, truth, mask))
        errors = zip(*(known(value, shares) for value in found), shares, truth)
        # a clone: a view would send the whole batch between processes
        self.results += [(float(s), float(m), float(c), t.clone()) for s, m, c, t in errors]

    def compute_metrics(self, results: list) -> dict[str, float]:
        sides, mads, shares, truths = zip(*results)
        self.each = {"side": sides, "mad": mads, "coverage": shares}
        truth = torch.stack(truths)
        flat = torch.ones_like(truth)
        mean = mean_depth(truth).expand_as(truth)
        scores = {"": (torch.tensor(sides), torch.tensor(mads))}
        for name, depth in (("flat_", flat), ("mean_depth_", mean)):
            mask = inner(truth_mask(truth))
            scores[name] = (side(depth, truth, mask) * 100, mad(depth, truth, mask))
        report = {}
        for name, (side_of, mad_of) in scores.items():
            report |= {f"{name}side": side_of.mean().item(), f"{name}mad": mad_of.mean().item()}
            if not name:
                spread = {"side_std": side_of.std(), "mad_std": mad_of.std()}
                report |= {key: value.nan_to_num().item() for key, value in spread.items()}
        return report | {"coverage": sum(shares) / len(shares)}
