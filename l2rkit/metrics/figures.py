"""The common part of per-image metrics: mean, deviation, and the figures of every image."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor


class ImageFigures(BaseMetric):
    """A metric with the figures `names` of each image; reports their mean and deviation.

    After an evaluation `each` holds the figures of every image, in order.
    """

    default_prefix = ""
    names: tuple[str, ...] = ()
    each: dict[str, Sequence[float]] = {}

    def add(self, *columns: Tensor) -> None:
        """Keeps a batch's figures, each (B,), in the order of `names`."""
        self.results += [tuple(row) for row in torch.stack(columns, 1).tolist()]

    def compute_metrics(self, results: list) -> dict[str, float]:
        report = {}
        self.each = dict(zip(self.names, zip(*results)))
        for name, values in self.each.items():
            values = torch.tensor(values, dtype=torch.float64)
            spread = values.std().item() if len(values) > 1 else 0.0
            report |= {name: values.mean().item(), f"{name}_std": spread}
        return report
