"""A correction of view and shape from landmarks of degraded photos. Ours."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..registry import MODELS

SHIPPED = Path(__file__).with_name("correction.npz")


@MODELS.register_module()
class LandmarkCorrection(nn.Module):
    """Predicts the clean photo's view and points from those of a restored degraded photo.

    A linear regression, fitted on training photos by `tools/builders/build_landmark_correction.py`.
    Its inputs: principal components of the points, the view, the mean change by the restorer, and
    the restorer's coarsest features. For uninformative photos it tends to the mean face.

    Args:
        path: a file that the tool wrote; default: the shipped one, for `FaceRestorer`. None leaves
            the coefficients unset, for `set`.
    """

    supervision = ("keypoint",)

    def __init__(self, path: str | Path | None = SHIPPED) -> None:
        super().__init__()
        if path is not None:
            with np.load(path) as file:
                self.set({name: torch.from_numpy(file[name]).float() for name in file.files})

    def set(self, numbers: dict[str, Tensor]) -> None:
        """Sets the regression's coefficients, by name."""
        for name, value in numbers.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, view: Tensor, points: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """The corrected view (B, 6) and canonical points (B, 468, 3).

        seen (B, 1 + F): mean absolute change by the restorer, and its features.
        """
        with torch.autocast(view.device.type, enabled=False):
            shape = (points.flatten(1) - self.mean) @ self.components.mT / self.spread
            known = terms(shape, view / self.view_spread, seen[:, :1])
            off = self.bias + known @ self.of_landmarks + seen[:, 1:] @ self.of_features
            moved = (off[:, 6:] * self.spread) @ self.components
        return view + off[:, :6] * self.view_spread, points + moved.unflatten(1, (-1, 3))


def terms(shape: Tensor, view: Tensor, change: Tensor) -> Tensor:
    """(B, 2 (C + 7)): regressors made of shape (B, C), view (B, 6) and change (B, 1)."""
    known = torch.cat([shape, view, 10 * change], 1)
    return torch.cat([known, known * 10 * change], 1)
