"""A method whose views alone are trained. Ours."""

import torch
from torch import Tensor

from .model import FaceReconstructor
from .registry import MODELS
from .structures import Face, Light, Scene, Truth


@MODELS.register_module()
class ViewStudent(FaceReconstructor):
    """A `FaceReconstructor` that predicts views alone while it is trained.

    The view of a bad photo is what errs most, and takes the most photos. A step costs a tenth of
    one with the whole face. Losses see a flat white face in the predicted view, and no rendering:
    they are `ViewDistillation` and priors on views. In evaluation, and in its weights, it is the
    `FaceReconstructor` of the same arguments.
    """

    def scene(
        self,
        photo: Tensor,
        person: Tensor | None = None,
        clean: Tensor | None = None,
        landmarks: Tensor | None = None,
        truth: Truth | None = None,
    ) -> Scene:
        """The scene of each photo: its view, of a face that says nothing."""
        view, count = self.view(photo), len(photo)
        one, zero = view.new_ones(count), view.new_zeros(count)
        face = Face(
            depth=view.new_ones(count, 1, 1, 1),
            albedo=view.new_ones(count, 3, 1, 1),
            light=Light(one, zero, torch.stack([zero, zero, -one], 1)),
            view=view,
        )
        aim = photo if clean is None else clean
        return Scene(aim, face, None, landmarks=landmarks, truth=truth)
