"""View and shape from landmarks of bad photos, corrected for what bad photos do to them. Ours."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..registry import MODELS

SHIPPED = Path(__file__).with_name("correction.npz")


@MODELS.register_module()
class LandmarkCorrection(nn.Module):
    """View and points as the good photo would give them, from those of a bad one that was restored.

    A linear regression, fitted on training photos by a tool
    (`tools/builders/build_landmark_correction.py`). It knows the points as a few principal
    components, the view, how much the restorer changed the photo, and that restorer's coarsest
    features. Where a photo tells little it leads towards the mean face.

    Args:
        path: a file that the tool has written; left out, the shipped one, for `FaceRestorer`.
            With None, numbers are to be set, as the tool does.
    """

    supervision = ("keypoint",)

    def __init__(self, path: str | Path | None = SHIPPED) -> None:
        super().__init__()
        if path is not None:
            with np.load(path) as file:
                self.set({name: torch.from_numpy(file[name]).float() for name in file.files})

    def set(self, numbers: dict[str, Tensor]) -> None:
        """The regression's numbers, by name."""
        for name, value in numbers.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, view: Tensor, points: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """view (B, 6) and canonical points (B, 468, 3), corrected.

        seen (B, 1 + F): mean absolute change by the restorer, and its features.
        """
        with torch.autocast(view.device.type, enabled=False):
            shape = (points.flatten(1) - self.mean) @ self.components.mT / self.spread
            known = terms(shape, view / self.view_spread, seen[:, :1])
            off = self.bias + known @ self.of_landmarks + seen[:, 1:] @ self.of_features
            moved = (off[:, 6:] * self.spread) @ self.components
        return view + off[:, :6] * self.view_spread, points + moved.unflatten(1, (-1, 3))


def terms(shape: Tensor, view: Tensor, change: Tensor) -> Tensor:
    """(B, 2 (C + 7)): what is regressed on, of shape (B, C), view (B, 6) and change (B, 1)."""
    known = torch.cat([shape, view, 10 * change], 1)
    return torch.cat([known, known * 10 * change], 1)
