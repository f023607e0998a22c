"""A method whose views alone are trained. Ours."""

import math
from typing import Any

import torch
from torch import Tensor

from .losses.shift_equivariance import moved, moved_view_back
from .model import FaceReconstructor
from .registry import MODELS
from .structures import Face, Light, Scene, Truth


@MODELS.register_module()
class ViewStudent(FaceReconstructor):
    """A `FaceReconstructor` that predicts views alone while it is trained.

    The view of a bad photo is what errs most, and takes the most photos. Without the rest of the
    face, steps are several times faster. Losses see a flat white face in the predicted view, and no
    rendering: they are `ViewDistillation` and priors on views. In evaluation, and in its weights,
    it is the `FaceReconstructor` of the same arguments.

    Args:
        shift, roll_deg: standard deviations of random motions of each photo, as those of
            `ShiftEquivariance`. The predicted views are moved back, so losses see those of the
            photos themselves, and where a face stands in its photo says nothing.
        parts: arguments of `FaceReconstructor`.
    """

    def __init__(self, shift: float = 0.0, roll_deg: float = 0.0, **parts: Any) -> None:
        super().__init__(**parts)
        self.shift, self.roll = shift, math.radians(roll_deg)

    def scene(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks: Tensor | None = None,
        truth: Truth | None = None,
    ) -> Scene:
        """The scene of each photo: its view, of a face that says nothing."""
        count = len(photo)
        if self.shift or self.roll:
            shift = self.shift * torch.randn(count, 2).to(photo, non_blocking=True)
            roll = self.roll * torch.randn(count).to(photo, non_blocking=True)
            view = moved_view_back(self.view(moved(photo, shift, roll)), shift, roll)
        else:
            view = self.view(photo)
        one, zero = view.new_ones(count), view.new_zeros(count)
        face = Face(
            depth=view.new_ones(count, 1, 1, 1),
            albedo=view.new_ones(count, 3, 1, 1),
            light=Light(one, zero, torch.stack([zero, zero, -one], 1)),
            view=view,
        )
        aim = photo if clean is None else clean
        return Scene(aim, face, None, landmarks=landmarks, truth=truth)
