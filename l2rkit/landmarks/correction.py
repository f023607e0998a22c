"""A correction of view and shape from landmarks of degraded photos. Ours."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import DataError, WeightsError
from ..io.reading import read_arrays
from ..registry import MODELS

SHIPPED = Path(__file__).with_name("correction.npz")
NAMES = {"mean", "components", "spread", "view_spread", "bias", "of_landmarks", "of_features"}


@MODELS.register_module()
class LandmarkCorrection(nn.Module):
    """Predicts the clean photo's view and points from those of a restored degraded photo.

    A linear regression, fitted on training photos by `tools/builders/build_landmark_correction.py`.
    Its inputs: principal components of the points, the view, the mean change by the restorer, and
    the restorer's coarsest features. For uninformative photos it tends to the mean face.

    Args:
        path: a file that the tool wrote; default: the shipped one, for `FaceRestorer`. None leaves
            the coefficients unset, for `set`.

    Raises:
        WeightsError: the file cannot be read, or is another one.
    """

    supervision = ("keypoint",)

    def __init__(self, path: str | Path | None = SHIPPED) -> None:
        super().__init__()
        if path is None:
            return
        try:
            numbers = read_arrays(Path(path))
        except (OSError, DataError) as error:
            raise WeightsError(f"{path} is no LandmarkCorrection: {error}") from None
        if set(numbers) != NAMES:
            held = ", ".join(sorted(numbers)[:4])
            raise WeightsError(f"{path} is no LandmarkCorrection: it holds {held} ...")
        self.set({name: torch.from_numpy(value).float() for name, value in numbers.items()})

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
