"""Trains and measures a 2D restorer by itself."""

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from ..errors import of_mode
from ..ops.precision import checked_precision, in_precision
from ..ops.resize import resized
from ..ops.transfer import PREPROCESSOR, on_host
from ..registry import MODELS, RESTORERS


class PhotoRestorer(BaseModel):
    """A model around a restorer that is trained on pairs of bad and good photos. Ours.

    Args:
        restore: the part to train; None leaves the photo unchanged, which is the baseline.
        features: frozen extractor for the perceptual loss.
        perceptual: weight of that loss relative to the mean absolute difference of colours.
        precision: "bfloat16" or "float16" for the part; weights and losses stay in float32.

    Losses compare at the part's output size, metrics at the clean photo's.
    """

    def __init__(
        self,
        restore: dict | nn.Module | None = None,
        features: dict | nn.Module | None = None,
        perceptual: float = 1.0,
        precision: str | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor or PREPROCESSOR)
        self.restore = nn.Identity() if restore is None else RESTORERS.build(restore)
        self.precision = checked_precision("PhotoRestorer", precision)
        self.losses = nn.ModuleDict()
        if features is not None:
            self.losses["features"] = MODELS.build(features).eval().requires_grad_(False)
        self.perceptual = perceptual

    def forward(
        self, photo: Tensor, clean: Tensor | None = None, mode: str = "tensor", **labels: object
    ) -> Tensor | dict[str, Tensor] | list[Tensor]:
        """MMEngine's entry point: the restored photo, the losses, or predictions, by `mode`.

        photo (B, 3, H, W); clean (B, 3, H', W') is what it was made of.
        """
        clean = photo if clean is None else clean
        if mode == "tensor":
            return self.restored(photo)
        return of_mode(self, mode, dict(loss=self.loss, predict=self.predict))(photo, clean)

    def train_step(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """MMEngine's step; its report is on the CPU."""
        return on_host(super().train_step(data, optim_wrapper))

    def restored(self, photo: Tensor) -> Tensor:
        """`photo` restored by the part, in float32."""
        with in_precision(self.precision, photo):
            return self.restore(photo).float()

    def loss(self, photo: Tensor, clean: Tensor) -> dict[str, Tensor]:
        """`loss_colour`, and `loss_features` if there is an extractor."""
        restored = self.restored(photo)
        clean = resized(clean, tuple(restored.shape[2:]), "bicubic")
        losses = {"loss_colour": l1_loss(restored, clean)}
        if "features" in self.losses:
            features = self.losses["features"]
            with torch.no_grad():
                target = features(clean)
            losses["loss_features"] = self.perceptual * mse_loss(features(restored), target)
        return losses

    @torch.no_grad()
    def predict(self, photo: Tensor, clean: Tensor) -> list[Tensor]:
        """The restored photos at the clean ones' size, in a list for MMEngine's evaluator."""
        return [resized(self.restored(photo), tuple(clean.shape[2:]), "area").clamp(0, 1)]

    def train(self, mode: bool = True) -> "PhotoRestorer":
        """Leaves the extractor in evaluation mode."""
        super().train(mode)
        self.losses.eval()
        return self
