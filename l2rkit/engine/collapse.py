"""Warns when training collapses. All limits are ours."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn

from ..structures import Face

FLAT = 1e-3  # root mean square in units of depth: a fiftieth of a nose
SATURATED = 0.98  # share of the largest rotation or shift
WON = 10.0  # difference of mean scores: a probability below 1 in 20,000


@HOOKS.register_module()
class CollapseMonitor(Hook):
    """Warns of known kinds of collapse, and says what may help.

    Args:
        interval: steps between checks.
        patience: consecutive checks with the same result before the one warning.
    """

    def __init__(self, interval: int = 200, patience: int = 5) -> None:
        self.interval, self.patience = interval, patience
        self.face: Face | None = None
        self.found: dict[str, int] = {}

    def before_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.decompose: nn.Module | None = getattr(model, "decompose", None)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.decompose is not None and self.every_n_train_iters(runner, self.interval):
            self.handle = self.decompose.register_forward_hook(self._store_face)

    def _store_face(self, module: nn.Module, inputs: Any, face: Any) -> None:
        self.handle.remove()  # the first face of the step is that of the batch
        self.face = face if isinstance(face, Face) else None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        if not self.every_n_train_iters(runner, self.interval):
            return
        signs = signs_of(self.face, getattr(self.decompose, "view_limits", None), outputs or {})
        self.face = None
        for text, there in signs.items():
            self.found[text] = self.found.get(text, 0) + 1 if there else 0
            if self.found[text] == self.patience:
                runner.logger.warning(f"collapse at step {runner.iter + 1}: {text}")


def signs_of(face: Face | None, view_limits: Tensor | None, outputs: dict) -> dict[str, bool]:
    """Each possible warning, and whether it applies to the step."""
    signs = {}
    if face is not None:
        text = "depth is flat; lower the weights of losses that smooth it, or look at the views"
        signs[text] = is_flat(face.depth)
    if face is not None and view_limits is not None:
        text = "views are at their limit; raise the weight of ZeroMeanPose, or lower the rate"
        signs[text] = is_saturated(face.view, view_limits)
    for place in ("adversary_", ""):  # in FaceReconstructor's report, in AdversarialPrior's
        if f"{place}score_fake" in outputs:
            text = "the adversary has won; lower its rate, or raise r1 (gamma)"
            gap = outputs[f"{place}score_real"] - outputs[f"{place}score_fake"]
            signs[text] = float(gap) > WON
    return signs


@torch.no_grad()
def is_flat(depth: Tensor) -> bool:
    """Whether the middle of depths (B, 1, H, W) is a plane, on average of the batch."""
    size = depth.shape[-1]
    middle = depth[:, 0, size // 4 : -size // 4, size // 4 : -size // 4].double()
    line = torch.linspace(-1, 1, middle.shape[-1], dtype=middle.dtype, device=middle.device)
    middle = middle - middle.mean((1, 2), keepdim=True)
    for slope in (line[:, None].expand(middle.shape[1:]), line.expand(middle.shape[1:])):
        along = (middle * slope).sum((1, 2), keepdim=True) / slope.square().sum()
        middle = middle - along * slope
    return middle.square().mean((1, 2)).sqrt().mean().item() < FLAT


@torch.no_grad()
def is_saturated(view: Tensor, view_limits: Tensor) -> bool:
    """Whether half of the batch has a number of its view (B, 6) at `view_limits` (6,)."""
    free = view_limits > 0
    return (view[:, free].abs() > SATURATED * view_limits[free]).float().mean(0).max().item() > 0.5
